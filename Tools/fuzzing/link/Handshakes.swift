import NIOCore
import NIOEmbedded
import NIOSSL
import Transport

@testable import TCPLink

// Bytes before the proof, through all that receives them: the doorkeeper, NIOSSL and BoringSSL, up to the key's identity.

private let launch: LaunchKeys.Launch = {
    guard let identity = LaunchIdentity("launch-7"), let key = try? LaunchKey([UInt8](repeating: 7, count: 32)) else {
        fatalError("no launch")
    }
    return LaunchKeys.Launch(identity: identity, key: key, role: .agent)
}()

extension Reading {
    /// What a listener gets. The first byte says how long the pieces are.
    static let handshake = Reading {
        let bytes = conversation().toServer
        return [[255] + bytes, [0] + bytes.prefix(600)] + [[255] + Array("GET / HTTP/1.1\r\n\r\n".utf8)]
    } run: { input in
        guard let first = input.first else { return }
        let channel = EmbeddedChannel()
        let door = Door(
            limits: .init(), buildID: [1], direction: .dial, loop: channel.embeddedEventLoop, log: { _ in })
        _ = door.expect(.agent, joins: 1, for: .seconds(60), key: launch.key, identity: launch.identity)
        guard let visitor = door.arrive(channel) else { fatalError("the door is open") }
        let keeper = Doorkeeper(door, visitor, LinkSettings()) { _ in fatalError("somebody has joined without the key")
        }
        try? channel.pipeline.syncOperations.addHandler(keeper)
        talk(channel, Array(input.dropFirst()), piece: Int(first) + 1)
        let refused = door.refusals.values.reduce(0, +)
        guard refused == 1, door.waitingCount == 0 else {
            fatalError("a stranger that left was counted \(refused) times")
        }
    }

    /// What a dialer gets.
    static let reply = Reading {
        let bytes = conversation().toClient
        return [[255] + bytes, [0] + bytes]
    } run: { input in
        guard let first = input.first, let client = try? Cryptography.client(launch) else { return }
        let channel = EmbeddedChannel(handlers: [client, Proof()])
        talk(channel, Array(input.dropFirst()), piece: Int(first) + 1)
    }

    /// Gives a channel bytes in pieces, then the end of its connection.
    private static func talk(_ channel: EmbeddedChannel, _ bytes: [UInt8], piece: Int) {
        _ = (try? SocketAddress(ipAddress: "127.0.0.1", port: 1)).map { channel.connect(to: $0) }
        for start in stride(from: 0, to: bytes.count, by: piece) {
            guard channel.isActive else { break }
            // It throws where the bytes are refused, which is what most are for.
            _ = try? channel.writeInbound(ByteBuffer(bytes: bytes[start..<min(start + piece, bytes.count)]))
            channel.embeddedEventLoop.run()
        }
        channel.pipeline.fireErrorCaught(ChannelError.eof)
        end(channel)
    }

    /// Closes a channel; where TLS waits for the other side to confirm that, its time passes.
    private static func end(_ channel: EmbeddedChannel) {
        channel.close(promise: nil)
        channel.embeddedEventLoop.advanceTime(by: .seconds(10))
        channel.embeddedEventLoop.run()
    }

    /// What two of ours say to each other up to the proof.
    private static func conversation() -> (toServer: [UInt8], toClient: [UInt8]) {
        guard let client = try? Cryptography.client(launch),
            let server = try? Cryptography.server(find: { $0 == launch.identity ? launch.key : nil })
        else { return ([], []) }
        let (left, right) = (EmbeddedChannel(handler: client), EmbeddedChannel(handler: server))
        var (toServer, toClient): ([UInt8], [UInt8]) = ([], [])
        for side in [left, right] {
            _ = (try? SocketAddress(ipAddress: "127.0.0.1", port: 1)).map { side.connect(to: $0) }
        }
        for _ in 0..<8 {
            while let bytes = try? left.readOutbound(as: ByteBuffer.self) {
                toServer += Array(bytes.readableBytesView)
                _ = try? right.writeInbound(bytes)
            }
            while let bytes = try? right.readOutbound(as: ByteBuffer.self) {
                toClient += Array(bytes.readableBytesView)
                _ = try? left.writeInbound(bytes)
            }
        }
        for side in [left, right] { end(side) }
        return (toServer, toClient)
    }
}

/// Traps if a handshake is completed, which can't be without the key.
private final class Proof: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    func channelRead(context: ChannelHandlerContext, data: NIOAny) { fatalError("something was said before the proof") }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
