import Remote
import Synchronization
import Wire

/// The elements of a map, by their places.
protocol MapInput: Sendable {
    /// Writes elements that a worker is to have.
    func write(_ batch: Range<Int>, to output: inout WireWriter)

    /// Elements will not be asked for again.
    func forget(_ batch: Range<Int>)
}

extension MapInput {
    func forget(_ batch: Range<Int>) {}
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

/// Plain elements that are all there: large batches are sent from where they lie.
struct PlainInput: MapInput {
    private let bytes: SharedArray<UInt8>
    private let size: Int
    private let alignment: Int

    /// - Precondition: The elements are plain.
    init<Element: Sendable>(_ elements: [Element]) {
        bytes = SharedArray(bytesOfPlain: elements)
        size = MemoryLayout<Element>.size
        alignment = MemoryLayout<Element>.alignment
    }

    /// Nil if there are gaps between the elements.
    init?<Element>(_ elements: SharedArray<Element>) {
        guard let bytes = elements.sharedBytes else { return nil }
        self.bytes = bytes
        size = MemoryLayout<Element>.size
        alignment = MemoryLayout<Element>.alignment
    }

    func write(_ batch: Range<Int>, to output: inout WireWriter) {
        output.write(plain: bytes, at: batch, size: size, alignment: alignment)
    }
}

/// Integers one after the other, which need not be anywhere.
struct RangeInput: MapInput {
    private let first: Int
    private let coder = ValueCoder<Int>()

    init(from first: Int) {
        self.first = first
    }

    func write(_ batch: Range<Int>, to output: inout WireWriter) {
        unsafe coder.write(atMost: batch.count, to: &output) { target in
            for index in 0..<batch.count {
                // SAFETY: room for as many as the batch has.
                unsafe (target + index).initialize(to: first + batch.lowerBound + index)
            }
            return batch.count
        }
    }
}

/// Elements that come while the map is under way, and are kept until they have results.
final class ArrivingInput<Element: Sendable>: MapInput {
    /// Elements that came together.
    private struct Chunk {
        let start: Int
        let elements: [Element]
        /// How many may be asked for again.
        var needed: Int
        var end: Int { start + elements.count }
    }

    private struct State {
        /// In the order of their starts.
        var chunks: [Chunk] = []
        var count = 0

        /// Index of the chunk with an element.
        func index(of element: Int) -> Int {
            var (low, high) = (0, chunks.count)
            while low < high {
                let middle = (low + high) / 2
                if chunks[middle].end <= element { low = middle + 1 } else { high = middle }
            }
            precondition(low < chunks.count && chunks[low].start <= element, "an element without a result is kept")
            return low
        }
    }

    private let coder = ValueCoder<Element>()
    private let state = Mutex(State())

    /// More elements have come, behind those that are there.
    func append(_ elements: [Element]) {
        guard !elements.isEmpty else { return }
        state.withLock { state in
            state.chunks.append(Chunk(start: state.count, elements: elements, needed: elements.count))
            state.count += elements.count
        }
    }

    func write(_ batch: Range<Int>, to output: inout WireWriter) {
        var parts: [ArraySlice<Element>] = []
        state.withLock { state in
            var index = state.index(of: batch.lowerBound)
            var start = batch.lowerBound
            while start < batch.upperBound {
                let chunk = state.chunks[index]
                precondition(chunk.start <= start, "an element without a result is kept")
                let end = min(batch.upperBound, chunk.end)
                parts.append(chunk.elements[start - chunk.start..<end - chunk.start])
                start = end
                index += 1
            }
        }
        coder.write(parts.count == 1 ? parts[0] : Array(parts.joined())[...], to: &output)
    }

    func forget(_ batch: Range<Int>) {
        // Freed outside the lock: their deinitialisers are the user's.
        var done: [Chunk] = []
        state.withLock { state in
            var start = batch.lowerBound
            while start < batch.upperBound {
                let index = state.index(of: start)
                let end = min(batch.upperBound, state.chunks[index].end)
                state.chunks[index].needed -= end - start
                if state.chunks[index].needed == 0 { done.append(state.chunks.remove(at: index)) }
                start = end
            }
        }
        _ = consume done
    }
}
