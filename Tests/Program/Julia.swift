import Muster
import Synchronization

/// Counts what was done in this process.
private let marks = Atomic<Int>(0)

private let number = WorkerLocal<Int>("number")

struct Missing: Error, Codable {
    var what: String
}

/// The last in is the first out.
final class Stack: AbstractChannel {
    private let values = Mutex<(items: [Int], isClosed: Bool)>(([], false))

    var depth: Int { values.withLock { $0.items.count } }

    func put(_ value: Int) throws {
        try values.withLock { state in
            if state.isClosed { throw Missing(what: "an open stack") }
            state.items.append(value)
        }
    }

    func take() async throws -> Int {
        while true {
            if let value = values.withLock({ $0.items.popLast() }) { return value }
            try await Task.sleep(for: .milliseconds(1))
        }
    }

    func fetch() async throws -> Int {
        while true {
            if let value = values.withLock({ $0.items.last }) { return value }
            try await Task.sleep(for: .milliseconds(1))
        }
    }

    var isReady: Bool { depth > 0 }

    func close() { values.withLock { $0.isClosed = true } }
}

/// Workers in this process that have names, and know whom they are connected to.
private struct NamedManager: ClusterManager {
    let connections: [(name: String, to: [String])]

    func launch(_ site: LaunchSite) async throws {
        for (name, others) in connections {
            let (near, far) = MemoryLink.pair()
            let serving = Task { await Worker.serve(over: far) }
            let details = LinkedWorker.Details(identity: name, connectsTo: others)
            let worker = try await LinkedWorker.greeted(over: near, details)
            site.whenClosed { await serving.value }
            try await site.add(worker)
        }
    }
}

/// What worker 3 says when worker 2 asks it.
private func ask(_ cluster: Cluster) async throws -> WorkerID {
    try await cluster.remoteCallFetch(on: 2) {
        try await Worker.cluster.remoteCallFetch(on: 3) { Worker.id }
    }
}

let julia: [String: Program.Scenario] = [
    "julia-processes": { _ in
        try await withCluster { cluster in
            say("alone", cluster.processCount, cluster.workerCount, cluster.processes, cluster.workers)
            say("added", try await cluster.addWorkers(.local(2)))
            say("counts", cluster.processCount, cluster.workerCount, cluster.processes, cluster.workers)
            say("host", try cluster.processes(onHostOf: 1), try cluster.processes(onHostOf: 3))
            await sayFailure("stranger") { try cluster.processes(onHostOf: 9) }
            say("here", cluster.myID, Worker.id)
            say("there", try await cluster.remoteCallFetch(onEach: cluster.processes) { Worker.id })
            let seen = try await cluster.remoteCallFetch(on: 3) {
                let cluster = try await Worker.cluster
                let host = try cluster.processes(onHostOf: 2)
                return "\(cluster.myID) \(cluster.processCount) \(cluster.workerCount) \(cluster.workers) \(host)"
            }
            say("seen from 3:", seen)
        }
    },
    "julia-arrivals": { _ in
        try await withCluster { cluster in
            let arrivals = cluster.startWorkers(.local(2))
            var first: [WorkerID] = []
            for try await worker in arrivals {
                first.append(try await cluster.fetch(from: worker) { Worker.id })
            }
            say("one by one", first, try await arrivals.all())
            let here = try await timedWait(.seconds(30)) { cluster.workerCount == 2 }
            say("timed wait", here, try await timedWait(.zero) { cluster.workerCount == 3 })
        }
    },
    "julia-removals": { _ in
        try await withCluster(.local(4, options: noRestarts)) { cluster in
            try await cluster.removeWorkers([2])
            say("removed", cluster.workers)
            let removal = try cluster.scheduleRemoval([3])
            await removal.wait()
            say("scheduled", removal.isDone, cluster.workers)
            let call = Task { try await cluster.remoteCallFetch(on: 4) { spin(seconds: 1000) } }
            _ = await eventually { ((try? cluster.member(4).pendingCount) ?? 0) > 0 }
            let busy = try cluster.scheduleRemoval([4])
            await sayFailure("late") { try await busy.wait(within: .milliseconds(50)) }
            busy.endNow()
            await busy.wait()
            say("ended", busy.isDone, cluster.workers)
            await sayFailure("its call") { try await call.value }
            await sayFailure("from a worker") {
                try await cluster.remoteCallFetch(on: 5) { try await Worker.cluster.removeWorkers([5]) }
            }
            say("still there", cluster.workers)
        }
    },
    "julia-calls": { _ in
        try await withCluster(.local(2)) { cluster in
            let pool = WorkerPool(cluster.workers)
            say("call", try await cluster.remoteCall(on: 2, capturing: 3) { x in x * 2 }.fetch())
            say("call on pool", try await cluster.remoteCall(on: pool, capturing: 3) { x in x * 2 }.fetch())
            let waited = try await cluster.remoteCallWait(on: 3) { "\(Worker.id)" }
            say("wait", try await waited.isReady, try await waited.fetch())
            let one = WorkerPool([2])
            say("wait on pool", try await cluster.remoteCallWait(on: one) { Worker.id }.fetch(), one.isReady)
            say("fetch", try await cluster.remoteCallFetch(on: 2, capturing: 4.0) { x in try root(x) })
            say("fetch on pool", try await cluster.remoteCallFetch(on: one) { Worker.id })
            await sayFailure("throws") {
                try await cluster.remoteCallFetch(on: 2, capturing: -4.0) { x in try root(x) }
            }
            let done = try await cluster.remoteChannel(of: WorkerID.self, capacity: 3)
            try await cluster.remoteDo(on: 3, capturing: done) { done in try await done.put(Worker.id) }
            say("do", try await done.take())
            try await cluster.remoteDo(on: one, capturing: done) { done in try await done.put(Worker.id) }
            say("do on pool", try await done.take())
            try await cluster.remoteDo(on: 2) { throw Missing(what: "nothing that anybody waits for") }
            say("after it", try await cluster.remoteCallFetch(on: 2) { 1 })
        }
    },
    "julia-macros": { _ in
        try await withCluster(.local(2)) { cluster in
            let one = WorkerPool([3])
            say("spawn at", try await cluster.spawn(at: 2) { Worker.id }.fetch())
            say("spawn anywhere", cluster.workers.contains(try await cluster.spawn { Worker.id }.fetch()))
            say("spawn any", cluster.workers.contains(try await cluster.spawn(at: .any) { Worker.id }.fetch()))
            say("spawn in pool", try await cluster.spawn(at: one) { Worker.id }.fetch())
            let sum = try await cluster.spawn(at: 3, capturing: 3, [4, 5]) { x, others in
                await Task.yield()
                return others.reduce(x, +)
            }
            say("spawn async", try await sum.fetch())
            let double = RemoteFunction { (x: Int) in 2 * x }
            say("spawn stored", try await cluster.spawn(at: 2, capturing: 21, body: double).fetch())
            await sayFailure("spawn throws") {
                _ = try await cluster.spawn(at: 2) { () -> Int in throw Missing(what: "x") }.fetch()
            }
            await sayFailure("spawn nowhere") { _ = try await cluster.spawn(at: 9) { 1 } }
            let hidden = CommandLine.arguments.count
            await sayFailure("spawn hidden") { _ = try await cluster.spawn(at: 2) { hidden } }
            say("fetch from", try await cluster.fetch(from: 3) { Worker.id })
            say("fetch anywhere", cluster.workers.contains(try await cluster.fetch { Worker.id }))
            say("fetch from pool", try await cluster.fetch(from: one) { Worker.id })
            let twice: String = try await cluster.fetch(from: 2, capturing: "a") { text in
                await Task.yield()
                return text + text
            }
            say("fetch async", twice)
            say("fetch stored", try await cluster.fetch(from: 2, capturing: 4, body: double))
            await sayFailure("fetch throws") { try await cluster.fetch(from: 2) { throw Missing(what: "y") } }
            await sayFailure("fetch late") {
                try await cluster.fetch(from: 2, deadline: .milliseconds(50)) {
                    try await Task.sleep(for: .seconds(1000))
                }
            }
            await sayFailure("fetch hidden") { _ = try await cluster.fetch(from: 2) { hidden } }
        }
    },
    "julia-futures": { _ in
        try await withCluster(.local(2, options: noRestarts)) { cluster in
            let future = try await cluster.remoteCall(on: 2) { [21, Worker.id.rawValue] }
            try await future.wait()
            say("result", try await future.isReady, try await future.fetch(), try await future.fetch())
            say("name", future.id.where, future.id.whence)
            let made = try await cluster.remoteCallFetch(on: 2) { try await Worker.cluster.remoteCall(on: 3) { 5 } }
            say("made by another", made.id.where, made.id.whence, try await made.fetch())
            let empty = try await cluster.future(of: Int.self, on: 3)
            say("empty", try await empty.isReady)
            await sayFailure("not yet") { try await empty.fetch(deadline: .milliseconds(50)) }
            try await cluster.remoteDo(on: 2, capturing: empty) { empty in try await empty.put(4) }
            try await empty.wait()
            say("put", try await empty.isReady, try await empty.fetch())
            await sayFailure("put again") { try await empty.put(5) }
            let passed = try await cluster.remoteCallFetch(on: 3, capturing: future) { future in
                try await future.fetch()
            }
            say("passed", passed)
            let here = try await cluster.future(of: String.self)
            try await here.put("mine")
            say("here", here.id.where, try await here.fetch())
            await sayFailure("its process ends") {
                _ = try await cluster.remoteCall(on: 2) { () -> Int in quit(3) }.fetch()
            }
        }
    },
    "julia-channels": { _ in
        try await withCluster(.local(2)) { cluster in
            let channel = try await cluster.remoteChannel(of: Int.self, capacity: 2, on: 2)
            say("empty", try await channel.isReady, channel.id.where)
            try await channel.put(1)
            try await channel.put(2)
            say("first", try await channel.isReady, try await channel.fetch())
            await sayFailure("full") { try await channel.put(3, deadline: .milliseconds(50)) }
            say("taken", try await channel.take(), try await channel.take(), try await channel.isReady)
            await sayFailure("nothing") { _ = try await channel.take(deadline: .milliseconds(50)) }
            try await cluster.remoteDo(on: 3, capturing: channel) { channel in try await channel.put(9) }
            try await channel.wait()
            say("waited for", try await channel.take())
            try await channel.put(7)
            let backing = try await cluster.remoteCallFetch(on: 2, capturing: channel.id) { id in
                try await Worker.cluster.channel(id, of: Int.self).fetch()
            }
            say("where it is", backing)
            await sayFailure("where it is not") { try cluster.channel(channel.id, of: Int.self) }
            try await channel.close()
            await sayFailure("put when closed") { try await channel.put(8) }
            say("rest", try await channel.take())
            await sayFailure("take when closed") { _ = try await channel.take() }
            let here = try await cluster.remoteChannel(of: String.self)
            try await here.put("one")
            say("here", here.id.where, try await here.take())
            await sayFailure("holds one") {
                try await here.put("two")
                try await here.put("three", deadline: .milliseconds(50))
            }
            let stack = try await cluster.remoteChannel(on: 3) { Stack() }
            for value in 1...3 { try await stack.put(value) }
            let depth = try await cluster.remoteCallFetch(on: 3, capturing: stack.id) { id in
                try await Worker.cluster.channel(id, as: Stack.self).depth
            }
            say("stack", depth, try await stack.take(), try await stack.fetch(), try await stack.isReady)
            try await stack.close()
            await sayFailure("stack closed") { try await stack.put(4) }
        }
    },
    "julia-pools": { _ in
        try await withCluster(.local(2)) { cluster in
            let pool = WorkerPool([2])
            pool.add(3)
            say("two", pool.count, pool.isReady, pool.workers)
            let taken = [try await pool.take(), try await pool.take()]
            say("taken", taken, pool.isReady)
            let waiting = Task { try await pool.waitUntilReady() }
            pool.putBack(3)
            try await waiting.value
            say("waited", pool.isReady, try await pool.take())
            pool.putBack(2)
            pool.putBack(3)
            pool.remove(3)
            say("one", pool.count, try await cluster.remoteCallFetch(on: pool) { Worker.id })
            let everyone = cluster.defaultPool
            say("default", everyone.workers)
            cluster.defaultPool = WorkerPool([3])
            let there = cluster.remote { Worker.id }
            say("set", Set(try await cluster.pmap(0..<20) { _ in Worker.id }), try await there())
            cluster.defaultPool = everyone
            say("set back", Set(try await cluster.pmap(0..<2, batchSize: 1) { _ in Worker.id }).sorted())
            let sum = cluster.remote(pool) { (x: Int, others: [Int]) in others.reduce(x, +) }
            say("function", try await sum(1, [2, 3]))
            let caching = CachingPool(cluster.workers)
            let table = [Double](repeating: 1, count: 100_000)
            for _ in 0..<3 {
                _ = try await cluster.pmap(0..<2, capturing: table, pool: caching) { i, table in table[i] }
            }
            say("caching", caching.statistics.misses, caching.statistics.hits, caching.statistics.count)
            caching.clear()
            say("cleared", caching.statistics.count)
        }
    },
    "julia-everywhere": { _ in
        try await withCluster(.local(2)) { cluster in
            let processes = cluster.processes
            try await cluster.everywhere { marks.add(1, ordering: .relaxed) }
            try await cluster.everywhere(on: [2, 3], capturing: 10) { ten in marks.add(ten, ordering: .relaxed) }
            say("marks", try await cluster.remoteCallFetch(onEach: processes) { marks.load(ordering: .relaxed) })
            do {
                try await cluster.everywhere { if Worker.id != 2 { throw Missing(what: "on \(Worker.id)") } }
            } catch let error as CompositeError {
                for error in error.errors { say("error", account(of: error)) }
            }
            try await cluster.define(number, capturing: 5) { five in five * Worker.id.rawValue }
            say("defined", try await cluster.remoteCallFetch(onEach: processes) { try number.get() })
            try await cluster.clear(number, on: [2])
            say("cleared", try await cluster.remoteCallFetch(onEach: processes) { number.value ?? 0 })
            await sayFailure("cleared there") { try await cluster.remoteCallFetch(on: 2) { try number.get() } }
            try await cluster.clear(number)
            say("cleared all", try await cluster.remoteCallFetch(onEach: processes) { number.value == nil })
            try await cluster.everywhere(includingLater: true) { marks.store(100, ordering: .relaxed) }
            try await cluster.define(number, includingLater: true) { Worker.id.rawValue }
            let later = try await cluster.addWorkers(.local(1))
            say("later", try await cluster.remoteCallFetch(onEach: later) { marks.load(ordering: .relaxed) })
            say("later too", try await cluster.remoteCallFetch(onEach: later) { try number.get() })
        }
    },
    "julia-groups": { _ in
        try await withCluster(.local(2)) { cluster in
            await sayFailure("two of three") {
                try await withCompositeGroup { group in
                    for process in cluster.processes {
                        group.addTask {
                            try await cluster.fetch(from: process) {
                                if Worker.id != 2 { throw Missing(what: "\(Worker.id)") }
                            }
                        }
                    }
                }
            }
            async let two = cluster.fetch(from: 2) { Worker.id }
            let three = Task { try await cluster.fetch(from: 3) { Worker.id } }
            say("at the same time", try await two, try await three.value)
            let ids = try await asyncMap(cluster.workers, tasks: 2) { worker in
                try await cluster.fetch(from: worker) { Worker.id }
            }
            say("in tasks", ids)
        }
    },
    "julia-topology": { arguments in
        let topologies: [String: ClusterTopology] = [
            "all": .allToAll(), "eager": .allToAll(lazy: false), "driver": .driverWorker, "custom": .custom,
        ]
        guard let topology = topologies[arguments[0]] else { quit(64) }
        try await withCluster(.local(2), topology: topology) { cluster in
            await sayFailure("between workers") { say("answer", try await ask(cluster)) }
            let driver = try await cluster.remoteCallFetch(on: 2) {
                try await Worker.cluster.remoteCallFetch(on: 1) { Worker.id }
            }
            say("driver", driver)
        }
    },
    "julia-names": { _ in
        let connections = [("a", ["b"]), ("b", []), ("c", [])]
        try await withCluster(NamedManager(connections: connections), topology: .custom) { cluster in
            for (from, to) in [(2, 3), (3, 2), (2, 4), (4, 2)] {
                await sayFailure("\(from) to \(to):") {
                    let answer = try await cluster.remoteCallFetch(on: from, capturing: to) { to in
                        try await Worker.cluster.remoteCallFetch(on: to) { Worker.id }
                    }
                    say("answer", answer)
                }
            }
        }
    },
]
