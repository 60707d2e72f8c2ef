// A body that never returns has results of this type; none ever travels.

extension Never: WireEncodable {
    /// Is never called.
    public func write(to output: inout WireWriter) {}
}

extension Never: WireDecodable {
    /// Throws: there is no such value.
    public init(from input: inout WireReader) throws(WireError) {
        throw input.invalid("there is no value of type Never")
    }
}
