/// First in, first out: an array whose front is taken off without moving the rest each time.
///
/// Inlinable, so that it is specialized where it is used: between the messages of a worker there is little else to do.
@frozen
package struct Queue<Element> {
    @usableFromInline internal var items: [Element?] = []
    @usableFromInline internal var first = 0

    @inlinable
    package init() {}

    /// Whether nothing is there.
    @inlinable
    package var isEmpty: Bool { first == items.count }

    /// Adds to the end.
    @inlinable
    package mutating func append(_ element: Element) {
        items.append(element)
    }

    /// Takes from the front; nil if nothing is there.
    @inlinable
    package mutating func takeFirst() -> Element? {
        guard first < items.count, let element = items[first] else { return nil }
        items[first] = nil
        first += 1
        if first == items.count {
            items.removeAll(keepingCapacity: true)
            first = 0
        } else if first >= 1024, first * 2 >= items.count {
            items.removeFirst(first)
            first = 0
        }
        return element
    }
}
