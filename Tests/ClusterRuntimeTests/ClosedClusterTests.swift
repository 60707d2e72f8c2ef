import Remote
import Synchronization
import Testing

@testable import ClusterRuntime

/// Notes that it was asked for workers.
private final class Asked: ClusterManager {
    let count = Atomic(0)

    func launch(_ site: LaunchSite) async throws { count.add(1, ordering: .relaxed) }
}

@Suite("A cluster that is closed")
struct ClosedClusterTests {
    @Test("no manager is asked for workers, and none keeps anything for it")
    func addWorkers() async throws {
        let cluster = Cluster(heartbeatLimit: .seconds(1))
        await cluster.close()
        let manager = Asked()
        let error = await #expect(throws: ClusterError.self) { try await cluster.addWorkers(manager) }
        #expect(error?.code == .closed && manager.count.load(ordering: .relaxed) == 0)
    }

    @Test("what its process had for others is gone, and nobody waits for it")
    func references() async throws {
        let cluster = Cluster(heartbeatLimit: .seconds(1))
        let future = try await cluster.future(of: Int.self)
        let channel = try await cluster.remoteChannel(of: Int.self)
        await cluster.close()
        let codes = await [
            #expect(throws: ReferenceError.self) { try await future.fetch() },
            #expect(throws: ReferenceError.self) { try await future.put(1) },
            #expect(throws: ReferenceError.self) { try await channel.put(1) },
            #expect(throws: ReferenceError.self) { try await channel.take() },
        ].map { $0?.code }
        #expect(codes == [.closed, .closed, .closed, .closed])
    }
}
