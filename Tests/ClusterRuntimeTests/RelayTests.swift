import ClusterManagers
import Remote
import Testing
import Transport

@testable import ClusterRuntime

/// Whether the caller was told that another process does not take a call, or its answer.
@Sendable private func isRefused(_ call: () async throws -> Int) async -> Bool {
    do {
        _ = try await call()
        return false
    } catch {
        return (error as? ClusterError)?.code == .refused
    }
}

@Suite("What the driver passes on between workers")
struct RelayTests {
    @Test("a call, or an answer, that the other's link does not take fails alone, and nobody is taken for lost")
    func tooLarge() async throws {
        let cluster = Cluster(heartbeatLimit: .seconds(15))
        do {
            try await cluster.addWorkers(.inMemory([.init(capacity: 1 << 16), .init()]))
            // Worker 3 calls worker 2, whose link is narrow, and the other way round.
            let call = try await cluster.remoteCallFetch(on: 3) {
                let cluster = try await Worker.cluster
                let large = [UInt8](repeating: 1, count: 1 << 20)
                return await isRefused { try await cluster.remoteCallFetch(on: 2, capturing: large) { $0.count } }
            }
            let answer = try await cluster.remoteCallFetch(on: 2) {
                let cluster = try await Worker.cluster
                return await isRefused {
                    try await cluster.remoteCallFetch(on: 3) { [UInt8](repeating: 1, count: 1 << 20) }.count
                }
            }
            // What the worker's own link does not take.
            let own = try await cluster.remoteCallFetch(on: 2) {
                let cluster = try await Worker.cluster
                let large = [UInt8](repeating: 1, count: 1 << 20)
                do {
                    return try await cluster.remoteCallFetch(on: 3, capturing: large) { $0.count } == 0
                } catch {
                    return (error as? LinkError)?.code == .frameTooLarge
                }
            }
            #expect(call && answer && own)
            let sums = try await [2, 3].asyncMapEach(in: cluster)
            #expect(sums == [5, 5])
        } catch {
            await cluster.close()
            throw error
        }
        await cluster.close()
    }
}

@Suite("Whoever is about to leave")
struct LeavingTests {
    /// What the body of this test waits for.
    private static let gate = Eventual<Void>()

    @Test("is given no call that any other could have, and none of those for all")
    func passedOver() async throws {
        let cluster = Cluster(heartbeatLimit: .seconds(15))
        do {
            try await cluster.addWorkers(.inMemory(2))
            let call = Task { try await cluster.remoteCallFetch(on: 2) { await LeavingTests.gate.get() } }
            while try cluster.member(2).pendingCount == 0 { await Task.yield() }
            // So that the other has no less to do.
            let other = Task { try await cluster.remoteCallFetch(on: 3) { await LeavingTests.gate.get() } }
            let another = Task { try await cluster.remoteCallFetch(on: 3) { await LeavingTests.gate.get() } }
            while try cluster.member(3).pendingCount < 2 { await Task.yield() }
            let removal = try cluster.scheduleRemoval([2])
            #expect(try await cluster.remoteCallFetch { Worker.id } == 3)
            try await cluster.everywhere { await Task.yield() }
            LeavingTests.gate.fulfil(())
            try await call.value
            try await other.value
            try await another.value
            await removal.wait()
        } catch {
            LeavingTests.gate.fulfil(())
            await cluster.close()
            throw error
        }
        await cluster.close()
    }
}

extension [WorkerID] {
    /// What each answers of a call to the others.
    fileprivate func asyncMapEach(in cluster: Cluster) async throws -> [Int] {
        var sums: [Int] = []
        for worker in self {
            sums.append(
                try await cluster.remoteCallFetch(on: worker) {
                    let cluster = try await Worker.cluster
                    let two = try await cluster.remoteCallFetch(on: 2) { Worker.id.rawValue }
                    return try await cluster.remoteCallFetch(on: 3) { Worker.id.rawValue } + two
                })
        }
        return sums
    }
}
