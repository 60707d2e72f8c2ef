/// What one `Encoder` was told: a tree that is written when its root is complete.
///
/// A tree rather than bytes, because containers may be filled in any order, several at a time, and the same one
/// through several `Encoder` calls (as subclasses do).
internal final class CodableNode {
    enum Shape { case empty, single, unkeyed, keyed }

    private(set) var shape = Shape.empty
    /// The items of a container, or the one item.
    private(set) var items: [CodableItem] = []
    /// For each item of a keyed container, the key's index in the table.
    private var keys: [Int] = []
    /// The position of each key, once a linear search would be slow.
    private var positions: [Int: Int]?
    private var highestKey = -1
    private(set) var byteCount = 0

    /// What stands for this node in its parent: its item if it is a single value, or else itself.
    var item: CodableItem {
        shape == .single ? items[0] : .node(self)
    }

    /// Makes this a container of the given shape, or says that it is one of another shape.
    func become(_ shape: Shape) -> Bool {
        if self.shape == .empty { self.shape = shape }
        return self.shape == shape
    }

    /// Sets the value of a single-value container; ignored by containers of another shape.
    func set(_ item: CodableItem) {
        if shape == .single { items = [item] }
    }

    /// Appends an item to an unkeyed container.
    func append(_ item: CodableItem) {
        items.append(item)
    }

    /// Sets the item for a key; the last one counts, as it does in other formats.
    func set(_ item: CodableItem, forKey key: Int) {
        if let position = position(ofKey: key) {
            items[position] = item
            return
        }
        highestKey = max(highestKey, key)
        positions?[key] = items.count
        keys.append(key)
        items.append(item)
    }

    /// The item that was set for a key.
    func item(forKey key: Int) -> CodableItem? {
        position(ofKey: key).map { items[$0] }
    }

    private func position(ofKey key: Int) -> Int? {
        // Keys mostly come in the order of the table.
        if key > highestKey { return nil }
        if let positions { return positions[key] }
        if keys.count <= 16 { return keys.firstIndex(of: key) }
        let positions = Dictionary(uniqueKeysWithValues: zip(keys, keys.indices))
        self.positions = positions
        return positions[key]
    }

    /// Finds the number of bytes of this node and those below, and puts single values in the place of their nodes.
    func measure() {
        var total = 1
        for (index, item) in items.enumerated() {
            if case .node(let node) = item {
                node.measure()
                items[index] = node.item
            }
            let size = items[index].byteCount
            total += size + WireWriter.byteCount(ofLength: size)
            if shape == .keyed { total += WireWriter.byteCount(ofLength: keys[index]) }
        }
        byteCount = total
    }

    /// Appends the kind and the items.
    func writeContents(to output: inout WireWriter) {
        // An encoder that was told nothing wrote a struct without properties.
        output.append(plain: shape == .unkeyed ? CodableItem.Kind.unkeyed.rawValue : CodableItem.Kind.keyed.rawValue)
        for (index, item) in items.enumerated() {
            if shape == .keyed { output.append(length: keys[index]) }
            item.write(to: &output)
        }
    }
}
