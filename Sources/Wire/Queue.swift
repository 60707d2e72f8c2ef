/// First in, first out: an array whose front is taken off without moving the rest each time.
///
/// Inlinable, so that it is specialized where it is used: between the messages of a worker there is little else to do.
@frozen
package struct Queue<Element> {
    @usableFromInline internal var items: [Element?] = []
    @usableFromInline internal var front = 0

    @inlinable
    package init() {}

    /// Whether nothing is there.
    @inlinable
    package var isEmpty: Bool { front == items.count }

    /// What is at the front; nil if nothing is there.
    @inlinable
    package var first: Element? { isEmpty ? nil : items[front] }

    /// Adds to the end.
    @inlinable
    package mutating func append(_ element: Element) {
        items.append(element)
    }

    /// Takes from the front; nil if nothing is there.
    @inlinable
    package mutating func takeFirst() -> Element? {
        guard front < items.count, let element = items[front] else { return nil }
        items[front] = nil
        front += 1
        if front == items.count {
            items.removeAll(keepingCapacity: true)
            front = 0
        } else if front >= 1024, front * 2 >= items.count {
            items.removeFirst(front)
            front = 0
        }
        return element
    }
}

extension Queue: Sendable where Element: Sendable {}
