/// Cuts a stream of bytes into lines.
package struct LineSplitter: Sendable {
    /// A line longer than this is handed on in pieces, so that endless output without a line's end takes no memory.
    static let longestLine = 1 << 16

    private var partial: [UInt8] = []

    package init() {}

    /// Takes in bytes and calls `body` with each line they complete, without its end.
    package mutating func add(_ bytes: some Collection<UInt8>, _ body: ([UInt8]) -> Void) {
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                body(partial)
                partial.removeAll(keepingCapacity: true)
            } else {
                if partial.count == LineSplitter.longestLine {
                    body(partial)
                    partial.removeAll(keepingCapacity: true)
                }
                partial.append(byte)
            }
        }
    }

    /// Calls `body` with what is left when the stream has ended.
    package mutating func finish(_ body: ([UInt8]) -> Void) {
        guard !partial.isEmpty else { return }
        body(partial)
        partial.removeAll()
    }
}

/// The last bytes of a stream.
package struct Tail: Sendable {
    /// Most bytes of it.
    package static let limit = 1 << 14

    private var bytes: [UInt8] = []

    package init() {}

    package mutating func add(_ more: some Collection<UInt8>) {
        bytes += more
        if bytes.count > 4 * Tail.limit { bytes.removeFirst(bytes.count - Tail.limit) }
    }

    package mutating func clear() { bytes = [] }

    /// The last 16 KiB, from the start of a line if that is cut.
    package var text: String {
        var last = bytes.suffix(Tail.limit)
        if last.count < bytes.count, let newline = last.firstIndex(of: UInt8(ascii: "\n")) {
            last = last[(newline + 1)...]
        }
        return String(decoding: last, as: UTF8.self)
    }
}
