extension WireEncodable {
    /// This value as a message of its own.
    ///
    /// - Throws: ``WireError/Code/notEncodable`` if a part of the value can't be written.
    @inlinable
    public func wireBytes() throws(WireError) -> [UInt8] {
        var output = WireWriter(reserving: 256, keepingBlocksOf: 16 << 10, areGathered: true)
        write(to: &output)
        return try output.finish()
    }
}

// Never inlined: Swift 6.3.1 crashes where a reader that it has inlined meets `TaskLocal.withValue` and a branch. Specialized
// they are all the same, and a call per message costs nothing.
extension WireDecodable {
    /// Reads a value from a message that holds nothing else.
    ///
    /// - Throws: ``WireError`` if the bytes are not such a value, or if bytes are left over.
    @inlinable
    @inline(never)
    public init(wireBytes bytes: [UInt8], limits: WireLimits = .default) throws(WireError) {
        var input = WireReader(bytes.span, limits: limits)
        self = try input.read()
        try input.expectEnd()
    }

    /// Reads a value from borrowed bytes that hold nothing else.
    ///
    /// - Throws: ``WireError`` if the bytes are not such a value, or if bytes are left over.
    @inlinable
    @inline(never)
    public init(wireBytes bytes: RawSpan, limits: WireLimits = .default) throws(WireError) {
        var input = WireReader(bytes, limits: limits)
        self = try input.read()
        try input.expectEnd()
    }

    /// Reads a value from a message that holds nothing else and whose bytes may be shared: a ``SharedArray`` in the value
    /// copies nothing, if its elements are aligned where they lie, and keeps all bytes in memory.
    ///
    /// - Throws: ``WireError`` if the bytes are not such a value, or if bytes are left over.
    @inlinable
    @inline(never)
    public init(sharing bytes: SharedArray<UInt8>, limits: WireLimits = .default) throws(WireError) {
        var input = WireReader(bytes, limits: limits)
        self = try input.read()
        try input.expectEnd()
    }
}
