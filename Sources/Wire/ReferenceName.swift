/// What the owner of a future or a channel knows it by: who named it, and that process's number for it.
package struct ReferenceName: Hashable, Sendable, WireCodable {
    package let whence: Int
    package let number: UInt64

    package init(whence: Int, number: UInt64) {
        self.whence = whence
        self.number = number
    }

    package func write(to output: inout WireWriter) { output.write(whence, number) }

    package init(from input: inout WireReader) throws(WireError) {
        (whence, number) = (try input.read(), try input.read())
    }
}
