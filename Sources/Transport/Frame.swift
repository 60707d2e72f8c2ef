package import Wire

extension Message {
    /// Reads the message at the front of a frame, and hands it on with the bytes that follow it.
    ///
    /// - Throws: `WireError` if the frame does not start with a message.
    package static func read(_ frame: RawSpan, _ body: (Message, RawSpan) throws(WireError) -> Void) throws(WireError) {
        var reader = WireReader(frame)
        let message: Message = try reader.read()
        try body(message, frame.extracting(droppingFirst: reader.offset))
    }
}

extension RawSpan {
    /// The bytes, as an array of their own.
    package func copyBytes() -> [UInt8] {
        unsafe withUnsafeBytes { unsafe [UInt8]($0) }
    }
}
