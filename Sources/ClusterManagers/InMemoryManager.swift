public import ClusterRuntime
import Remote
public import Transport

/// Workers in this process, over links in its memory: a whole cluster for tests, which is up in no time.
///
/// Nothing is left out between cluster and workers: what they say to each other is written, sent and read. What networks do to
/// it can be had on purpose, and comes out the same every time, see `MemoryLink.Conditions`.
///
/// ```swift
/// try await withCluster(.inMemory(4)) { cluster in … }
/// try await withCluster(.inMemory([.init(), .init(lossAfter: 10)])) { cluster in … }   // the second gets lost
/// ```
///
/// Bodies run in this process, so that globals are shared, and a body that traps takes everything along.
public struct InMemoryManager: ClusterManager {
    /// For each worker the conditions of its link, in either direction.
    public let links: [MemoryLink.Conditions]

    /// A worker for each of these.
    public init(_ links: [MemoryLink.Conditions]) { self.links = links }

    /// Starts the workers.
    ///
    /// - Throws: `LinkError` if a link is lost before its worker has joined.
    public func launch(_ site: LaunchSite) async throws {
        for conditions in links {
            let (near, far) = MemoryLink.pair(conditions)
            let serving = Task { await Worker.serve(over: far) }
            let worker = try await LinkedWorker.greeted(over: near)
            site.whenClosed { await serving.value }
            do {
                try await site.add(worker)
            } catch {
                worker.kill()
                throw error
            }
        }
    }
}

extension ClusterManager where Self == InMemoryManager {
    /// Workers in this process, see ``InMemoryManager``.
    ///
    /// - Parameters:
    ///   - count: How many, at least 0.
    ///   - conditions: Of the link of each, in either direction; the worker's greeting and its answer are frames too.
    public static func inMemory(
        _ count: Int, conditions: MemoryLink.Conditions = MemoryLink.Conditions()
    ) -> InMemoryManager {
        InMemoryManager([MemoryLink.Conditions](repeating: conditions, count: count))
    }

    /// Workers in this process, each over a link of its own conditions.
    public static func inMemory(_ links: [MemoryLink.Conditions]) -> InMemoryManager { InMemoryManager(links) }
}
