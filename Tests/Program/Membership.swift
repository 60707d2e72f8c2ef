import Muster

let membership: [String: Program.Scenario] = [
    "membership": { _ in
        try await withCluster { cluster in
            await sayFailure("no workers") { try await cluster.pmap(1...3) { $0 } }
            await sayFailure("no worker to call") { try await cluster.remoteCallFetch { 1 } }
            let first = try await cluster.addWorkers(.local(1))
            say("first", first)
            let more = try await cluster.addWorkers(.local(2))
            say("more", more, cluster.workers)
            await sayFailure("unknown") { try await cluster.removeWorkers([2, 99]) }
            say("none removed", cluster.workers)
            try await cluster.removeWorkers([3])
            say("one removed", cluster.workers)
            say("numbers are not used again", try await cluster.addWorkers(.local(1)))
            await sayFailure("removed") { try await cluster.remoteCallFetch(on: 3) { 1 } }
            try await cluster.removeWorkers(cluster.workers)
            await sayFailure("all removed") { try await cluster.pmap(1...3) { $0 } }
        }
    },
    "drains": { _ in
        try await withCluster(.local(2)) { cluster in
            let call = Task {
                try await cluster.remoteCallFetch(on: 2) {
                    spin(seconds: 0.5)
                    return 12
                }
            }
            _ = await eventually { ((try? cluster.member(2).pendingCount) ?? 0) > 0 }
            try await cluster.removeWorkers([2])
            say("answered before it left", try await call.value, cluster.workers)
        }
    },
    "impatient-removal": { _ in
        try await withCluster(.local(2)) { cluster in
            let call = Task { try await cluster.remoteCallFetch(on: 2) { spin(seconds: 1000) } }
            _ = await eventually { ((try? cluster.member(2).pendingCount) ?? 0) > 0 }
            let removal = Task { try await cluster.removeWorkers([2]) }
            removal.cancel()
            try await removal.value
            say("removed", cluster.workers)
            await sayFailure("call") { try await call.value }
        }
    },
    "changes-during-map": { _ in
        try await withCluster(.local(2)) { cluster in
            let map = Task {
                try await cluster.pmap(0..<60, batchSize: 1) { i in
                    spin(seconds: 0.02)
                    return i
                }
            }
            _ = await eventually { ((try? cluster.member(2).pendingCount) ?? 0) > 0 }
            say("added", try await cluster.addWorkers(.local(1)))
            try await cluster.removeWorkers([2])
            say("removed", cluster.workers)
            do {
                say("map", try await map.value == Array(0..<60))
            } catch {
                say("map", account(of: error))
            }
        }
    },
    "dies-while-draining": { _ in
        try await withCluster(.local(2)) { cluster in
            let call = Task {
                try await cluster.remoteCallFetch(on: 2) { () -> Void in
                    spin(seconds: 0.3)
                    quit(5)
                }
            }
            _ = await eventually { ((try? cluster.member(2).pendingCount) ?? 0) > 0 }
            try await cluster.removeWorkers([2])
            say("removed", cluster.workers)
            await sayFailure("call") { try await call.value }
        }
    },
    "answers-and-dies": { _ in
        try await withCluster(.local(20, options: noRestarts)) { cluster in
            let outcomes = await withTaskGroup(of: String.self) { group in
                for (index, worker) in cluster.workers.enumerated() {
                    group.addTask {
                        do {
                            let answer = try await cluster.remoteCallFetch(on: worker, capturing: index) { index in
                                Task.detached {
                                    spin(seconds: 0.0002 * Double(index))
                                    quit(6)
                                }
                                return [UInt8](repeating: 1, count: 300_000)
                            }
                            return answer.count == 300_000 ? "whole" : "cut off"
                        } catch let error as WorkerExited {
                            return error.end.cause == .exited(status: 6) ? "exited" : account(of: error)
                        } catch {
                            return account(of: error)
                        }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            say("outcomes", outcomes.count, Set(outcomes).subtracting(["whole", "exited"]))
            say("all gone", await eventually { cluster.workers.isEmpty })
        }
    },
    "escapes": { _ in
        let cluster = try await withCluster(.local(1)) { $0 }
        await sayFailure("map") { try await cluster.pmap(1...3) { $0 } }
        await sayFailure("add") { try await cluster.addWorkers(.local(1)) }
        say("workers", cluster.workers)
    },
]
