import Glibc
import NIOCore
import NIOEmbedded
import NIOPosix
import NIOSSL
import Synchronization
import Testing
import Transport

@testable import TCPLink

/// What a stranger does with its connection.
private enum Mischief: CaseIterable, Sendable {
    /// Comes and goes, as a port scanner does.
    case scan
    case http, randomBytes
    /// Says nothing.
    case silence
    /// One byte a second.
    case slowLoris
    /// The first flight of a real handshake, and no more.
    case halfHandshake
    /// The same with a launch's identity, which anybody can overhear.
    case halfHandshakeByName
}

/// Strangers that come as fast as they can, with a bounded number of connections at a time. Plain sockets: they are to be
/// cheaper than who has to bear them.
private struct Flood {
    let port: Int
    /// What a process of ours says first.
    let hello: [UInt8]
    /// Most connections of this one's at a time.
    let most = 250

    private struct Open {
        let socket: CInt
        let mischief: Mischief
        var lastByte: Double
    }

    /// - Parameters:
    ///   - numbers: Which connections to make; they come from 200 addresses.
    ///   - progress: Counts them.
    func run(_ numbers: StrideTo<Int>, progress: borrowing Atomic<Int>) {
        var open: [Open] = []
        var generator = SystemRandomNumberGenerator()
        for number in numbers {
            let mischief = Mischief.allCases[number % Mischief.allCases.count]
            if open.count == most { close(open.removeFirst().socket) }
            guard let socket = connect(from: number % 200 + 1) else { continue }
            progress.add(1, ordering: .relaxed)
            switch mischief {
            case .scan:
                close(socket)
                continue
            case .http: write(Array("GET / HTTP/1.1\r\nHost: driver\r\n\r\n".utf8), socket)
            case .randomBytes:
                write((0..<300).map { _ in UInt8.random(in: .min ... .max, using: &generator) }, socket)
            case .silence: break
            case .slowLoris: write([22], socket)
            case .halfHandshake: write(Array(hello.dropLast(hello.count / 2)), socket)
            case .halfHandshakeByName: write(hello, socket)
            }
            let now = monotonicSeconds()
            open.append(Open(socket: socket, mischief: mischief, lastByte: now))
            for index in open.indices where open[index].mischief == .slowLoris && now - open[index].lastByte >= 1 {
                write([3], open[index].socket)
                open[index].lastByte = now
            }
        }
        for stranger in open { close(stranger.socket) }
    }

    /// Waits until the listener's queue has room, as long as that takes.
    private func connect(from host: Int) -> CInt? {
        let socket = Glibc.socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { return nil }
        guard unsafe call(Glibc.bind, socket, host: host, port: 0),
            unsafe call(Glibc.connect, socket, host: 0, port: port)
        else {
            close(socket)
            return nil
        }
        return socket
    }

    /// Binds to, or connects with, 127.0.1.`host`, or 127.0.0.1 for 0.
    private func call(
        _ function: (CInt, UnsafePointer<sockaddr>?, socklen_t) -> CInt, _ socket: CInt, host: Int, port: Int
    ) -> Bool {
        // `sockaddr_in`, whose members belong to whichever module has imported it first: family, port, number, padding.
        let number: [UInt8] = host == 0 ? [127, 0, 0, 1] : [127, 0, 1, UInt8(host)]
        let bytes =
            [UInt8(AF_INET), 0, UInt8(port >> 8), UInt8(truncatingIfNeeded: port)] + number
            + [UInt8](repeating: 0, count: 8)
        return unsafe bytes.withUnsafeBytes { place in
            unsafe function(socket, place.baseAddress?.assumingMemoryBound(to: sockaddr.self), 16) == 0
        }
    }

    private func write(_ bytes: [UInt8], _ socket: CInt) {
        // The other side may have closed it.
        _ = unsafe send(socket, bytes, bytes.count, CInt(MSG_NOSIGNAL) | CInt(MSG_DONTWAIT))
    }

    /// What a dialer's handshake begins with.
    static func hello(_ launch: LaunchKeys.Launch) throws -> [UInt8] {
        let channel = EmbeddedChannel(handler: try Cryptography.client(launch))
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        let bytes = try channel.readOutbound(as: ByteBuffer.self)
        _ = try? channel.finish(acceptAlreadyClosed: true)
        return Array(bytes?.readableBytesView ?? ByteBufferView(ByteBuffer()))
    }
}

/// Descriptors that this process has.
private func descriptorCount() -> Int {
    guard let directory = unsafe opendir("/proc/self/fd") else { return -1 }
    defer { unsafe closedir(directory) }
    var count = 0
    while unsafe readdir(directory) != nil { count += 1 }
    return count
}

@Suite("Flood")
struct FloodTests {
    // In a process of its own, whose descriptors are nobody else's.
    @Test("10,000 strangers hold up nobody and leave nothing: 20 who are expected join meanwhile")
    func strangers() async throws {
        await #expect(processExitsWith: .success) {
            let pool = NIOThreadPool(numberOfThreads: 2)
            pool.start()
            // Everything that stays for the life of the process.
            let (left, right) = try await House.link()
            left.close()
            right.close()
            var before = -1
            // Connections that end still have theirs.
            let isQuiet = await eventually {
                defer { before = descriptorCount() }
                return before == descriptorCount()
            }
            #expect(isQuiet)

            let start = monotonicSeconds()
            // Fewer may wait than strangers do, without many descriptors.
            let house = try await House { ($0.limits.seconds, $0.limits.total) = (5, 128) }
            let launch = try house.expect(joins: 20)
            let flood = Flood(port: house.listener.port, hello: try Flood.hello(launch))
            #expect(flood.hello.first == 22)
            let progress = Progress()
            let strangers = (0..<2).map { part in
                Task {
                    try await pool.runIfActive {
                        flood.run(stride(from: part, to: 10_000, by: 2), progress: progress.count)
                    }
                }
            }
            #expect(await eventually { progress.count.load(ordering: .relaxed) > 1000 })
            let links = try await withThrowingTaskGroup { group in
                for _ in 0..<20 { group.addTask { try await house.join(launch) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(links.count == 20)
            let when = progress.count.load(ordering: .relaxed)
            for stranger in strangers { try await stranger.value }
            #expect(progress.count.load(ordering: .relaxed) == 10_000)
            // Those who joined went through the middle of it, and are counted as what they are.
            #expect(when < 10_000)
            #expect(await eventually { house.peers.count == 20 && house.listener.waitingCount == 0 })
            #expect(await eventually { house.refusalCount >= 10_000 }, "\(house.listener.refusals)")
            let counts = house.listener.refusals
            #expect(counts[.notTLS, default: 0] > 0 && counts[.silent, default: 0] > 0, "\(counts)")
            let seconds = monotonicSeconds() - start
            #expect(Double(house.lines.count) <= 2 + seconds / RefusalCounter.seconds, "\(house.lines)")

            let inboxes = house.peers.map { _ in Inbox() }
            for (peer, inbox) in zip(house.peers, inboxes) { inbox.start(peer.link) }
            for (index, link) in links.enumerated() { try send([UInt8(index)], on: link) }
            #expect(await eventually { inboxes.allSatisfy { $0.count == 1 } })
            #expect(Set(inboxes.map { $0.frames[0][0] }) == Set(0..<20))
            for link in links { link.close() }
            #expect(await eventually { inboxes.allSatisfy { $0.ends == [nil] } })
            await house.listener.close()
            #expect(await eventually { descriptorCount() <= before }, "\(descriptorCount()) after \(before)")
        }
    }

    /// How many strangers came so far.
    private final class Progress: Sendable {
        let count = Atomic(0)
    }
}
