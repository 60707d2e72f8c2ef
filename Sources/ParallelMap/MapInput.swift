import Remote
import Wire

/// The elements of a map, by their places.
protocol MapInput: Sendable {
    /// Writes elements that a worker is to have.
    func write(_ batch: Range<Int>, to output: inout WireWriter)
}

/// Elements that are all there.
struct ArrayInput<Element: Sendable>: MapInput {
    private let elements: [Element]
    private let coder = ValueCoder<Element>()

    init(_ elements: [Element]) {
        self.elements = elements
    }

    func write(_ batch: Range<Int>, to output: inout WireWriter) {
        coder.write(elements[batch], to: &output)
    }
}
