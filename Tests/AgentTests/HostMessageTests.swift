import Placement
import Testing
import Transport
import Wire

@testable import Agent

@Suite("What a driver and an agent say to each other")
struct HostMessageTests {
    private static var request: HostRequest {
        var request = HostRequest(.planned(PlacementRequest(workers: 3, mode: .spread(.l3), threads: 2)))
        request.environment = ["A": "b"]
        request.flags = ["--x"]
        request.restarts = RestartLimit(perMinute: 4)
        request.keepsOutput = true
        return request
    }

    static let messages: [HostMessage] = [
        .welcome(heartbeatLimit: 15), .start(request: 1, request),
        .start(request: 2, HostRequest(.unbound(count: nil))),
        .adopt(slot: 1, worker: 7), .kill(slot: 2, because: nil),
        .kill(slot: 2, because: WorkerEnd(cause: .unresponsive(seconds: 5))),
        .keep(block: 9), .drop(block: 9), .shutdown,
        .admit(pair: 3, .random()), .dial(pair: 3, address: "10.0.0.7", port: 4711, .random()),
        .pass(block: 1, pair: 2), .expect(block: 1, pair: 2), .listens(pair: 2, port: 1), .lacks(block: 4),
        .forgo(pair: 2),
        .here(HostDescription(host: "node7", process: 12, usableCPUCount: 4, offer: request)),
        .up(
            slot: 1, request: 2,
            WorkerDescription(
                hello: Hello(process: 3, host: "node7", buildID: [1, 2], cpus: [0, 1], memory: "local 0"),
                placement: nil, warnings: ["w"])),
        .started(request: 2), .failed(request: 2, reason: "r"),
        .ended(slot: 1, WorkerEnd(cause: .signalled(9), standardErrorTail: "t"), isReplaced: true, note: nil),
        .ended(slot: 1, WorkerEnd(cause: .exited(status: -1)), isReplaced: false, note: "n"),
        .ended(slot: 1, WorkerEnd(cause: .silent(seconds: 1)), isReplaced: false, note: nil),
        .ended(slot: 1, WorkerEnd(cause: .lost("l")), isReplaced: false, note: nil),
        .ended(slot: 1, WorkerEnd(cause: .removed), isReplaced: false, note: nil),
        .notReplaced(slot: 3, reason: "r"), .line(slot: 1, stream: 2), .note("n"),
        .frame(slot: 1, kept: [1, 2]), .heartbeat,
    ]

    @Test("each comes over as it was", arguments: messages)
    func roundTrip(message: HostMessage) throws {
        #expect(try HostMessage(wireBytes: message.wireBytes()) == message)
    }

    @Test("cut off anywhere it is an error, and changed anywhere an error or a message", arguments: messages)
    func hostile(message: HostMessage) throws {
        let bytes = try message.wireBytes()
        for end in bytes.indices {
            #expect(throws: WireError.self) { try HostMessage(wireBytes: Array(bytes[..<end])) }
        }
        for index in bytes.indices {
            for byte: UInt8 in [0, 1, 0x7f, 0x80, 0xff] {
                var changed = bytes
                changed[index] = byte
                _ = try? HostMessage(wireBytes: changed)
            }
        }
    }

    private static func up(cpus: [Int]) -> HostMessage {
        .up(
            slot: 1, request: 1,
            WorkerDescription(
                hello: Hello(process: 1, host: "h", buildID: [], cpus: cpus, memory: nil), placement: nil, warnings: [])
        )
    }

    private static func silent(_ seconds: Double) -> HostMessage {
        .ended(slot: 1, WorkerEnd(cause: .silent(seconds: seconds)), isReplaced: true, note: nil)
    }

    @Test(
        "numbers by which the driver would trap are refused",
        arguments: [
            up(cpus: [-1]), up(cpus: [0, 1 << 20]), up(cpus: [.max]), silent(.nan), silent(.infinity), silent(1e300),
            silent(-1),
        ])
    func numbers(message: HostMessage) throws {
        let bytes = try message.wireBytes()
        #expect(throws: WireError.self) { try HostMessage(wireBytes: bytes) }
    }

    @Test("a secret of a pair shows nowhere")
    func secret() {
        let secret = PairSecret.random()
        #expect("\(secret)" == "PairSecret(secret)")
        #expect(!"\(HostMessage.admit(pair: 1, secret))".contains(secret.identity))
    }
}
