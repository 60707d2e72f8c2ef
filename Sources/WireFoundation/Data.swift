public import FoundationEssentials
public import Wire

extension Data: WireEncodable, WireDecodable {
    /// Appends the number of bytes, then the bytes: the same as `[UInt8]`.
    public func write(to output: inout WireWriter) {
        output.append(length: count)
        if count >= WireFormat.alignedBlock { output.appendPadding(toAlignment: 1, blockSize: count) }
        for region in regions {
            // SAFETY: a region's bytes are initialised, and used during the call only.
            unsafe region.withUnsafeBytes { unsafe output.append(bytes: $0.bytes) }
        }
    }

    /// Reads bytes, which are copied.
    public init(from input: inout WireReader) throws(WireError) {
        let bytes = try input.readBytes()
        // SAFETY: `Data` copies the bytes.
        self = unsafe bytes.withUnsafeBytes { unsafe Data($0) }
    }
}
