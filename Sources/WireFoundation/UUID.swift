public import FoundationEssentials
public import Wire

extension UUID: WireEncodable, WireDecodable {
    /// Appends the 16 bytes in the order of the UUID's text.
    public func write(to output: inout WireWriter) {
        // SAFETY: a tuple of 16 bytes without padding; used during the call only.
        unsafe withUnsafeBytes(of: uuid) { unsafe output.append(bytes: $0.bytes) }
    }

    /// Reads 16 bytes.
    public init(from input: inout WireReader) throws(WireError) {
        // SAFETY: exactly the 16 bytes of a `uuid_t`, any of which are valid; no alignment is assumed.
        self.init(uuid: try unsafe input.readBytes(16) { unsafe $0.loadUnaligned(as: uuid_t.self) })
    }
}
