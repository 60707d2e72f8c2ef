import Glibc
import Synchronization
import TCPLink
import Transport
import Wire

/// The side that listens, and measures.
struct Driver {
    static let buildID: [UInt8] = [1]
    let measure: Measure
    let count: Int

    init(_ measure: Measure, _ count: Int) { (self.measure, self.count) = (measure, count) }

    func run() async throws {
        let joins = measure == .scale ? count : 1
        let guests = Guests()
        let all = Eventual<Double>()
        let listener = try await Listener.start(buildID: Driver.buildID) { peer in
            if guests.add(peer.link) == joins { all.fulfil(monotonicSeconds()) }
        }
        let launch = try listener.expect(.agent, joins: joins, for: .seconds(600))
        let file = try JoinFile(
            addresses: listener.addresses, port: listener.port, launch: launch, buildID: Driver.buildID,
            expiry: time(nil) + 600)
        let before = (resident: Process.kibibytes("RssAnon"), cpu: Process.seconds)
        let start = monotonicSeconds()
        let process = Process.start(["--peer", measure.rawValue, "\(count)"], input: file.secretText)
        let seconds = await all.get() - start
        switch measure {
        case .scale:
            let cpu = Process.seconds - before.cpu
            let joined = Process.kibibytes("RssAnon")
            let heard = Atomic(0)
            for link in guests.links {
                link.start { _ in
                    heard.add(1, ordering: .relaxed)
                } onEnd: { _ in
                }
            }
            for link in guests.links { try send([1], on: link) }
            while heard.load(ordering: .relaxed) < count { usleep(1000) }
            let spoken = Process.kibibytes("RssAnon")
            print(
                """
                \(count) joined in \(rounded(seconds)) s, of which the driver's CPU \(rounded(cpu)) s; a link takes \
                \(rounded(Double(joined - before.resident) / Double(count))) KiB when it has joined, \
                \(rounded(Double(spoken - before.resident) / Double(count))) KiB after a frame each way; refused: \
                \(listener.refusals)
                """)
        case .roundTrip: await roundTrips(guests.links[0])
        case .oneWay: try await blocks(guests.links[0])
        case .messages: try await messages(guests.links[0])
        }
        for link in guests.links { link.close() }
        await listener.close()
        Process.wait(process)
    }

    private func roundTrips(_ link: TCPLink) async {
        let end = Eventual<Double>()
        let left = Atomic(count)
        let start = monotonicSeconds()
        link.start { _ in
            if left.subtract(1, ordering: .relaxed).newValue == 0 { return _ = end.fulfil(monotonicSeconds()) }
            try? send([1], on: link)
        } onEnd: { _ in
        }
        try? send([1], on: link)
        let seconds = await end.get() - start
        print("\(rounded(seconds / Double(count) * 1e6)) µs for one byte there and back, of \(count)")
    }

    private func blocks(_ link: TCPLink) async throws {
        let block = SharedArray([UInt8](repeating: 7, count: 1 << 23))
        let number = max(1, count * 1_000_000 / block.count)
        let end = Eventual<Double>()
        link.start { _ in
            end.fulfil(monotonicSeconds())
        } onEnd: { _ in
        }
        let start = monotonicSeconds()
        let cpu = Process.seconds
        for _ in 0..<number { try send([1], [block], on: link) }
        // The other side answers when it has as much.
        try send([2], on: link)
        let seconds = await end.get() - start
        let bytes = Double(number * block.count)
        print(
            """
            \(rounded(bytes / seconds / 1e6)) MB/s one way in blocks of 8 MiB; the sender's CPU \
            \(rounded((Process.seconds - cpu) / bytes * 1e9)) s for each GB
            """)
    }

    private func messages(_ link: TCPLink) async throws {
        let message = [UInt8](repeating: 7, count: 64)
        let end = Eventual<Double>()
        link.start { _ in
            end.fulfil(monotonicSeconds())
        } onEnd: { _ in
        }
        let start = monotonicSeconds()
        for _ in 0..<count { try send(message, on: link) }
        try send([2], on: link)
        let seconds = await end.get() - start
        print("\(rounded(Double(count) / seconds / 1e6)) million messages of 64 bytes a second, one way")
    }
}

/// Who has joined.
private final class Guests: Sendable {
    private let state = Mutex<[TCPLink]>([])
    var links: [TCPLink] { state.withLock { $0 } }

    /// Adds one; how many there are then.
    func add(_ link: TCPLink) -> Int {
        state.withLock { links in
            links.append(link)
            return links.count
        }
    }
}

/// Sends a message and blocks.
func send(_ bytes: [UInt8], _ blocks: [SharedArray<UInt8>] = [], on link: TCPLink) throws(LinkError) {
    // SAFETY: every byte of a span of `UInt8` is initialised.
    try link.send(unsafe bytes.span.bytes, blocks)
}

/// Three digits or more.
func rounded(_ number: Double) -> String {
    let digits = max(0, 2 - Int(log10(max(abs(number), 1e-9)).rounded(.down)))
    let scale = pow(10, Double(digits))
    let text = "\((number * scale).rounded() / scale)"
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
}
