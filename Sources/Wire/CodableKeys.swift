/// The keys of keyed containers, each of which travels once, in the order in which they were first needed.
///
/// `Codable` names every property with a string. Naming them by position instead would be wrong for types that
/// leave out what is absent, read in another order, or ask a container for all its keys (as every enum does); so
/// a keyed entry has the key's index in this table (one byte, mostly), and the table's new strings stand before
/// the value that needs them first.
///
/// The table lasts as long as the outermost array, set or dictionary that is written, so that its elements
/// share it; a value on its own has a table of its own, and can be cut out of a message and read elsewhere.
@usableFromInline
internal final class CodableKeys {
    private(set) var strings: [String] = []
    private var indices: [String: Int] = [:]
    private var guess = 0
    /// Number of strings that have been written.
    var announced = 0

    init() {}

    /// The index of `string`, which is added if it is new.
    func index(of string: String) -> Int {
        if guess < strings.count && strings[guess] == string {
            guess += 1
            return guess - 1
        }
        if let index = indices[string] {
            guess = index + 1
            return index
        }
        let index = strings.count
        strings.append(string)
        indices[string] = index
        guess = index + 1
        return index
    }

    /// Adds a string that was read.
    ///
    /// - Returns: `false` if it was there already.
    func add(_ string: String) -> Bool {
        guard indices.updateValue(strings.count, forKey: string) == nil else { return false }
        strings.append(string)
        return true
    }
}

extension WireWriter {
    /// Starts the elements of a collection, which share a table of keys.
    @inlinable
    internal mutating func enterElements() {
        elementDepth &+= 1
    }

    /// Ends the elements of a collection; the outermost forgets the keys.
    @inlinable
    internal mutating func leaveElements() {
        elementDepth &-= 1
        if elementDepth == 0 && keys != nil { keys = nil }
    }
}

extension WireReader {
    /// Starts the elements of a collection, which share a table of keys.
    @inlinable
    internal mutating func enterElements() {
        elementDepth &+= 1
    }

    /// Ends the elements of a collection; the outermost forgets the keys.
    @inlinable
    internal mutating func leaveElements() {
        elementDepth &-= 1
        if elementDepth == 0 && keys != nil { keys = nil }
    }
}
