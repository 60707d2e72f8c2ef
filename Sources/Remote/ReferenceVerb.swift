package import Wire

/// What can be asked of something that another process has; the answer is a ``ReferenceAnswer``.
package enum ReferenceVerb: UInt8, Sendable {
    /// The value of a future, when it is there.
    case fetchFuture = 1
    /// Told when the value of a future is there.
    case waitFuture
    case isFutureReady
    /// The value follows.
    case putFuture
    /// Its capacity follows.
    case makeChannel
    /// The value follows.
    case putChannel
    /// The most that are wanted follow. At least one is given.
    case takeChannel
    /// The first, which stays.
    case fetchChannel
    case waitChannel
    case isChannelReady
    case closeChannel
}

/// What the owner of something answers.
package enum ReferenceAnswer: Sendable {
    case done
    case flag(Bool)
    /// One value, as it was kept.
    case value(StoredValue)
    /// Several, in their order.
    case values([StoredValue])
    case failed(ReferenceError)

    /// The arrays beside what ``write(to:)`` writes.
    package var blocks: [SharedArray<UInt8>] {
        switch self {
        case .value(let value): value.blocks
        case .values(let values): values.flatMap(\.blocks)
        default: []
        }
    }

    /// Writes all but the arrays beside it.
    package func write(to output: inout WireWriter) {
        switch self {
        case .done: output.write(UInt8(0))
        case .flag(let flag): output.write(UInt8(flag ? 2 : 1))
        case .value(let value):
            output.write(UInt8(3))
            output.append(value)
        case .values(let values):
            output.write(UInt8(4), values.map(\.bytes.count), values.map(\.blocks.count))
            for value in values { output.append(value) }
        case .failed(let error): output.write(UInt8(5), error)
        }
    }

    /// Reads an answer, to the end of the message.
    @inline(never)
    package init(rest input: inout WireReader) throws(WireError) {
        switch try input.read() as UInt8 {
        case 0: self = .done
        case 1: self = .flag(false)
        case 2: self = .flag(true)
        case 3: self = .value(StoredValue(rest: &input))
        case 4:
            let (byteCounts, blockCounts): ([Int], [Int]) = (try input.read(), try input.read())
            self = .values(try ReferenceAnswer.values(byteCounts, blockCounts, StoredValue(rest: &input), &input))
        case 5: self = .failed(try input.read())
        case let tag: throw input.invalid("no answer has tag \(tag)")
        }
    }

    private static func values(
        _ byteCounts: [Int], _ blockCounts: [Int], _ all: StoredValue, _ input: inout WireReader
    ) throws(WireError) -> [StoredValue] {
        var (start, firstBlock) = (0, 0)
        var values: [StoredValue] = []
        for (byteCount, blockCount) in zip(byteCounts, blockCounts) {
            guard byteCount >= 0, byteCount <= all.bytes.count - start, blockCount >= 0,
                blockCount <= all.blocks.count - firstBlock
            else { throw input.invalid("a value of \(byteCount) bytes and \(blockCount) blocks") }
            values.append(
                StoredValue(
                    Array(all.bytes[start..<start + byteCount]),
                    blocks: Array(all.blocks[firstBlock..<firstBlock + blockCount]), attachments: all.attachments))
            start += byteCount
            firstBlock += blockCount
        }
        return values
    }
}

/// Who has asked something of a reference, and is answered once.
package final class ReferenceAsker: Sendable, Hashable {
    /// Its process.
    package let process: Int
    /// Its number for what it asked.
    package let call: UInt64
    private let answer: @Sendable (ReferenceAnswer) -> Void
    /// Tells the process how many more values it may put into a channel without asking; 0 takes all back.
    let allow: @Sendable (ReferenceName, Int) -> Void

    package init(
        process: Int, call: UInt64, allow: @escaping @Sendable (ReferenceName, Int) -> Void = { _, _ in },
        answer: @escaping @Sendable (ReferenceAnswer) -> Void
    ) {
        self.process = process
        self.call = call
        self.allow = allow
        self.answer = answer
    }

    func tell(_ answer: ReferenceAnswer) { self.answer(answer) }

    package static func == (left: ReferenceAsker, right: ReferenceAsker) -> Bool { left === right }
    package func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
