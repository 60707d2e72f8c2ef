import Glibc
import SharedMemoryLink
import Transport

/// Two processes with a ring each way between them. The second is this program with the memory as its descriptor 3.
let rings: [String: Program.Scenario] = [
    "rings": { arguments in
        let count = arguments.first.flatMap { Int($0) } ?? 1000
        let memory = try SharedMemory(byteCount: 2 * RingProcess.place)
        let there = Ring(creatingIn: memory, capacity: RingProcess.capacity)
        let back = Ring(creatingIn: memory, at: RingProcess.place, capacity: RingProcess.capacity)
        let peer = try RingProcess.start(["ring-peer", "\(count)"], with: memory)
        let sending = RingProcess.onThread { () throws(LinkError) in
            var traffic = RingTraffic(seed: 1)
            return try traffic.send(count, through: there)
        }
        var traffic = RingTraffic(seed: 2)
        say("came back", try traffic.check(count, from: back))
        say("went there", try await sending.get().get())
        say("peer's status", RingProcess.status(of: peer))
    },
    "ring-peer": { arguments in
        let count = arguments.first.flatMap { Int($0) } ?? 1000
        let (there, back) = try RingProcess.join()
        let checking = RingProcess.onThread { () throws(LinkError) in
            var traffic = RingTraffic(seed: 1)
            return try traffic.check(count, from: there)
        }
        var traffic = RingTraffic(seed: 2)
        _ = try traffic.send(count, through: back)
        say("peer got", try await checking.get().get())
    },
    // Both sides sleep as soon as they wait.
    "sleeping-rings": { arguments in
        let count = arguments.first.flatMap { Int($0) } ?? 1000
        let memory = try SharedMemory(byteCount: 2 * RingProcess.place)
        let there = Ring(creatingIn: memory, capacity: RingProcess.capacity)
        let back = Ring(creatingIn: memory, at: RingProcess.place, capacity: RingProcess.capacity)
        let peer = try RingProcess.start(["ring-echo"], with: memory)
        say("round trips", try roundTrips(count, to: there, from: back, policy: .never))
        there.close()
        say("peer's status", RingProcess.status(of: peer))
    },
    "ring-echo": { _ in
        let (there, back) = try RingProcess.join()
        say("peer got", try echoAll(from: there, to: back, policy: .never))
    },
]

private enum RingProcess {
    static let capacity = 1 << 14
    /// Where the second ring starts.
    static let place = (Ring.byteCount(capacity: capacity) + 127) / 128 * 128

    static func start(_ arguments: [String], with memory: SharedMemory) throws -> pid_t {
        let descriptor = try memory.writableDescriptor()
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_adddup2(&actions, descriptor.number, 3)
        var words = unsafe (["muster-test-program"] + arguments).map { unsafe strdup($0) } + [nil]
        defer { unsafe words.forEach { unsafe free($0) } }
        var process: pid_t = 0
        let code = unsafe posix_spawn(&process, "/proc/self/exe", &actions, nil, &words, environ)
        guard code == 0 else { throw SystemError("start the other process", errno: code) }
        return process
    }

    static func join() throws -> (there: Ring, back: Ring) {
        let memory = try SharedMemory(
            mapping: Descriptor(owning: 3), access: .readingAndWriting, byteCounts: 2 * place...2 * place)
        return (
            try Ring(joining: memory, capacity: capacity), try Ring(joining: memory, at: place, capacity: capacity)
        )
    }

    static func onThread(_ work: @escaping @Sendable () throws(LinkError) -> Int) -> Eventual<Result<Int, LinkError>> {
        let outcome = Eventual<Result<Int, LinkError>>()
        SystemThread.start(named: "test-ring") {
            outcome.fulfil(Result { () throws(LinkError) in try work() })
            while true { sleep(1000) }
        }
        return outcome
    }

    static func status(of process: pid_t) -> Int {
        var status: Int32 = 0
        return unsafe waitpid(process, &status, 0) == process ? Int(status) : -1
    }
}
