package import Wire

/// A value as it is kept for whoever asks for it: encoded, with the arrays beside it, and what it refers to.
package struct StoredValue: Sendable {
    package let bytes: [UInt8]
    package let blocks: [SharedArray<UInt8>]
    /// Kept as long as the value is.
    package let attachments: WireAttachments

    package init(_ bytes: [UInt8], blocks: [SharedArray<UInt8>], attachments: WireAttachments) {
        self.bytes = bytes
        self.blocks = blocks
        self.attachments = attachments
    }

    /// What is left of a message.
    package init(rest input: inout WireReader) {
        self.init(input.rest.copyBytes(), blocks: input.restOfBlocks, attachments: input.attachments)
    }

    /// One value, as a ``BatchReply`` of one.
    ///
    /// - Parameter maker: Makes large arrays where others can read them.
    /// - Throws: `WireError` for a value that can't be written.
    package init<Value>(_ value: Value, maker: (any BlockMaker)? = nil) throws(WireError) {
        var output = WireWriter(reserving: 64, keepingBlocksOf: EncodedCaptures.blockByteCount)
        output.maker = maker
        ValueCoder<Value>().write([value], to: &output)
        IndexedFailure.write([], to: &output)
        let message = try output.finishMessage()
        self.init(message.bytes, blocks: message.blocks, attachments: message.attachments)
    }

    /// The error that it is, if it is the answer of a body that failed.
    package var failure: RemoteFailure? {
        // A list of no results is a zero, of one byte or of eight, by its type.
        guard bytes.first == 0 else { return nil }
        return failure(behind: 1) ?? failure(behind: 8)
    }

    @inline(never)
    private func failure(behind byteCount: Int) -> RemoteFailure? {
        guard bytes.count > byteCount else { return nil }
        // SAFETY: every byte of a span of `UInt8` is initialised.
        var reader = WireReader(unsafe bytes.span.bytes, from: byteCount, blocks: Span())
        guard let failures = try? IndexedFailure.readAll(from: &reader), (try? reader.expectEnd()) != nil else {
            return nil
        }
        return failures.first?.failure
    }

    /// What it is when it is read.
    package var input: BatchInput { BatchInput(bytes, blocks: blocks, attachments: attachments) }
}

extension WireWriter {
    /// Appends a value that was encoded before.
    package mutating func append(_ value: StoredValue) {
        // SAFETY: every byte of a span of `UInt8` is initialised.
        append(bytes: unsafe value.bytes.span.bytes)
        attachments.append(value.attachments)
    }
}
