/// A message in pieces: its bytes, and beside them the large plain arrays in it, which were not copied.
///
/// For a carrier that can send pieces (`writev`), or place each in shared memory, and give the other side the same
/// pieces. Where a block's elements belong is said in the bytes.
///
/// ```swift
/// let message = try samples.wireMessage()        // [Double]: some bytes, and one block that is the array's own memory
/// let copy = try [Double](wireMessage: message)
/// ```
public struct WireMessage: Hashable, Sendable {
    /// Everything but the blocks.
    public let bytes: [UInt8]
    /// Plain arrays, in the order in which the message names them.
    public let blocks: [SharedArray<UInt8>]
    /// What it refers to and that lives elsewhere: kept with it.
    package let attachments: WireAttachments

    fileprivate init(
        _ bytes: [UInt8], blocks: [SharedArray<UInt8>], attachments: WireAttachments = WireAttachments()
    ) {
        self.bytes = bytes
        self.blocks = blocks
        self.attachments = attachments
    }

    /// Puts together what was received.
    ///
    /// - Parameters:
    ///   - bytes: The bytes of the message that was sent.
    ///   - blocks: Its blocks in their order. What they hold may still change, if the sender can write to them:
    ///     the elements that are read from them then change with it.
    /// - Throws: ``WireError/Code/invalidBlock`` if two blocks have memory in common: a value that is made of them
    ///   could be larger than what was received.
    /// - Complexity: O(n log n) for n blocks.
    public init(bytes: [UInt8], blocks: [SharedArray<UInt8>]) throws(WireError) {
        let sorted = blocks.indices.filter { !blocks[$0].isEmpty }
            .sorted { blocks[$0].addresses < blocks[$1].addresses }
        for (first, second) in zip(sorted, sorted.dropFirst())
        where blocks[first].addresses.end > blocks[second].addresses.start {
            throw WireError(
                code: .invalidBlock, offset: 0,
                detail: "blocks \(min(first, second)) and \(max(first, second)) have memory in common")
        }
        self.init(bytes, blocks: blocks)
    }

    /// Whether another message has equal bytes, and its blocks are the very same memory.
    package func isSame(as other: WireMessage) -> Bool {
        blocks.count == other.blocks.count && bytes == other.bytes
            && zip(blocks, other.blocks).allSatisfy { $0.addresses == $1.addresses }
    }

    /// Bytes in all.
    public var byteCount: Int { blocks.reduce(bytes.count) { $0 + $1.count } }

    /// Calls `body` with the message's bytes and each block in turn, as `writev` takes them.
    ///
    /// - Parameter body: Is given buffers that are valid during the call.
    public func withPieces<Result>(_ body: ([UnsafeRawBufferPointer]) throws -> Result) rethrows -> Result {
        // SAFETY: the bytes stay for the call that they are given to, and the blocks, which `self` keeps, also do.
        try withExtendedLifetime(self) {
            try unsafe bytes.withUnsafeBytes { bytes in
                try unsafe body(
                    [bytes] + blocks.map { unsafe UnsafeRawBufferPointer(start: $0.base, count: $0.count) })
            }
        }
    }
}

extension WireWriter {
    /// Ends the message, and leaves the arrays that were kept beside it.
    ///
    /// - Throws: The first failure that was remembered, see ``fail(_:)``.
    /// - Complexity: As ``finish()``, without a copy of the arrays.
    public consuming func finishMessage() throws(WireError) -> WireMessage {
        let blocks = kept.blocks.map(\.bytes)
        kept.removeAll()
        let attachments = attachments
        return WireMessage(try finish(), blocks: blocks, attachments: attachments)
    }
}

extension WireEncodable {
    /// This value as a message in pieces.
    ///
    /// - Parameter minimumBlock: Bytes from which on a plain array becomes a block; 16 KiB unless told. It is not copied:
    ///   the message keeps it as it is now, and a change of the array copies it, as always when an array is shared.
    /// - Throws: ``WireError/Code/notEncodable`` if a part of the value can't be written.
    public func wireMessage(blocksFrom minimumBlock: Int = 16 << 10) throws(WireError) -> WireMessage {
        var output = WireWriter(reserving: 256, keepingBlocksOf: minimumBlock)
        write(to: &output)
        return try output.finishMessage()
    }
}

extension WireDecodable {
    /// Reads a value from a message in pieces that holds nothing else.
    ///
    /// - Throws: ``WireError`` if the message is no such value, or if bytes or blocks are left over.
    @inline(never)
    public init(wireMessage message: WireMessage, limits: WireLimits = .default) throws(WireError) {
        var input = WireReader(message, limits: limits)
        self = try input.read()
        try input.expectEnd()
    }

    /// Reads a value from a message in pieces that holds nothing else, with its large arrays where the message has them.
    ///
    /// - Throws: As ``init(wireMessage:limits:)``.
    @inline(never)
    package init(
        wireMessage message: WireMessage, adopting arrays: AdoptedArrays, limits: WireLimits = .default
    ) throws(WireError) {
        var input = WireReader(message, adopting: arrays, limits: limits)
        self = try input.read()
        try input.expectEnd()
    }
}
