import NIOCore
import Transport
import Wire

@testable import TCPLink

/// Somebody who reads what a stranger sends, and what must hold.
struct Reading: Sendable {
    /// What one of ours would send.
    let seeds: @Sendable () -> [[UInt8]]
    /// Reads bytes; traps if something that must hold does not.
    let run: @Sendable ([UInt8]) -> Void

    static let all = [
        frames(limit: 1 << 36), frames(limit: Greeting.mostBytes), greeting, answer, joinFile, address, handshake,
        reply,
    ]

    /// Frames: the first byte says how long the pieces are. However they are cut, the same comes out of them, and little
    /// is kept for what is not there yet.
    static func frames(limit: Int) -> Reading {
        Reading {
            [[3] + frame(1, 1, [7]) + frame(0, 2, [0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5])]
                + [[0] + frame(0, 0, []) + frame(9, 0, Array(1...9)), [200] + frame(1 << 35, 0, [1])]
        } run: { input in
            guard let first = input.first else { return }
            let stream = Array(input.dropFirst())
            let whole = assemble(stream, piece: max(stream.count, 1), limit: limit)
            let pieces = assemble(stream, piece: Int(first) + 1, limit: limit)
            guard whole == pieces else { fatalError("other frames from other pieces") }
        }
    }

    static let greeting = Reading {
        let sides: [(Party, Party)] = [(.joining(.agent), .driver), (.driver, .joining(.worker))]
        return sides.map { (try? Greeting($0, to: $1, buildID: [1, 2, 3]).wireBytes()) ?? [] }
    } run: { input in
        guard let greeting = try? Greeting(wireBytes: input) else { return }
        let objection = greeting.objection(.joining(.agent), to: .driver, buildID: [1, 2, 3])
        guard objection.map({ isPlain($0.reason) }) ?? true else { fatalError("a stranger's words are repeated") }
        // Who is let in by one reading is refused by the other.
        if objection == nil, greeting.objection(.driver, to: .joining(.agent), buildID: [1, 2, 3]) == nil {
            fatalError("a greeting for both directions")
        }
        guard FrameHead.frame(greeting).map({ $0.readableBytes <= Greeting.mostBytes + 16 }) ?? false else {
            fatalError("a greeting that was read can't be written")
        }
    }

    static let answer = Reading {
        [nil, "no"].map { (try? GreetingAnswer(.driver, buildID: [1, 2, 3], reason: $0).wireBytes()) ?? [] }
    } run: { input in
        guard let answer = try? GreetingAnswer(wireBytes: input) else { return }
        let asDriver = answer.objection(.driver, buildID: [1, 2, 3])
        let asAgent = answer.objection(.joining(.agent), buildID: [1, 2, 3])
        guard asDriver != nil || asAgent != nil else { fatalError("an answer for both directions") }
    }

    static let joinFile = Reading {
        JoinDirection.allCases.map { direction in
            let launch = LaunchKeys.Launch(identity: .random(), key: .random(), role: .agent)
            let file = try? JoinFile(
                addresses: ["10.0.0.7", "fe80::1%eth0"], port: 80, launch: launch, buildID: [1], expiry: 9,
                direction: direction)
            return Array((file?.secretText ?? "").utf8)
        }
    } run: { input in
        guard let file = try? JoinFile(secretText: input) else { return }
        guard let again = try? JoinFile(secretText: Array(file.secretText.utf8)), again == file else {
            fatalError("a join file that was read can't be written and read again")
        }
    }

    static let address = Reading {
        ["10.0.0.7", "fe80::1%eth0", "::", "automatic", "eth0"].map { Array($0.utf8) }
    } run: { input in
        let text = String(decoding: input, as: UTF8.self)
        let interfaces = [HostInterface("eth0", [.loopback], isDefaultRoute: true)]
        if let plan = try? ListenAddress(text).plan(on: interfaces) {
            guard !plan.listening.isEmpty, !plan.candidates.isEmpty else { fatalError("nowhere to listen") }
        }
        _ = DefaultRoutes(ipv4: text, ipv6: text)
    }

    /// Whether a text has nothing in it but what we write.
    private static func isPlain(_ text: String) -> Bool { text.utf8.allSatisfy { (32..<127).contains($0) } }

    private static func frame(_ message: UInt64, _ blocks: UInt64, _ rest: [UInt8]) -> [UInt8] {
        [message, blocks].flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } } + rest
    }

    /// What a stream is made of, up to its first error.
    private struct Frames: Equatable {
        var messages: [[UInt8]] = []
        var blocks: [[[UInt8]]] = []
        var error: LinkError?
        var isInsideFrame = false
    }

    private static func assemble(_ stream: [UInt8], piece: Int, limit: Int) -> Frames {
        var assembler = FrameAssembler(limit: limit, maker: SmallBlocks())
        var frames = Frames()
        for start in stride(from: 0, to: stream.count, by: piece) {
            var bytes = ByteBuffer(bytes: stream[start..<min(start + piece, stream.count)])
            do throws(LinkError) {
                while try assembler.takeFrame(
                    from: &bytes,
                    onFrame: { message, blocks in
                        // SAFETY: in bounds, and initialised as part of a span.
                        frames.messages.append(
                            (0..<message.byteCount).map {
                                unsafe message.unsafeLoad(fromByteOffset: $0, as: UInt8.self)
                            })
                        frames.blocks.append(blocks.map { Array($0) })
                    })
                {}
            } catch {
                frames.error = error
                return frames
            }
            guard bytes.readableBytes == 0 else { fatalError("bytes are left over") }
            guard assembler.pendingCapacity <= max(1 << 17, 4 * stream.count) else { fatalError("memory before bytes") }
        }
        frames.isInsideFrame = assembler.isInsideFrame
        return frames
    }
}

/// As for links, but of little memory: so that libFuzzer's limits find only what the assembler takes by itself.
private final class SmallBlocks: BlockMaker {
    func makeBlock(byteCount: Int) -> (bytes: SharedArray<UInt8>, base: UnsafeMutableRawPointer)? {
        byteCount > 1 << 20 ? nil : unsafe HeapBlocks().makeBlock(byteCount: byteCount)
    }
}
