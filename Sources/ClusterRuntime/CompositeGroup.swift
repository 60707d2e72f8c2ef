/// Parts that run at the same time, each to its end; see ``withCompositeGroup(_:)``.
public struct CompositeGroup {
    fileprivate struct Failure: Sendable {
        /// Of its part, in the order in which they were added.
        let number: Int
        let error: any Error
    }

    fileprivate var tasks: TaskGroup<Failure?>
    private var count = 0

    fileprivate init(_ tasks: TaskGroup<Failure?>) {
        self.tasks = tasks
    }

    /// Begins a part, at once.
    public mutating func addTask(_ work: @escaping @Sendable () async throws -> Void) {
        let number = count
        count += 1
        tasks.addTask {
            do {
                try await work()
                return nil
            } catch {
                return Failure(number: number, error: error)
            }
        }
    }
}

/// Runs parts at the same time, and waits until all have ended, also those that others failed beside.
///
/// ```swift
/// try await withCompositeGroup { group in
///     for worker in cluster.workers {
///         group.addTask { try await cluster.remoteCallFetch(on: worker) { try setUp() } }
///     }
/// }
/// ```
///
/// Julia's `@sync`. A throwing task group of Swift's cancels the other parts when one fails, and forgets their errors; this one
/// lets them go on, and tells all. Cancelling the task that waits cancels all parts.
///
/// - Parameter body: Adds parts, and may do something itself meanwhile: what it throws counts as the first error.
/// - Returns: What `body` returned.
/// - Throws: ``CompositeError`` with the errors in the order in which the parts were added, if anything failed.
public nonisolated(nonsending) func withCompositeGroup<Output>(
    _ body: (inout CompositeGroup) async throws -> Output
) async throws -> Output {
    let (output, failures) = await withTaskGroup(of: CompositeGroup.Failure?.self) { tasks in
        var group = CompositeGroup(tasks)
        let output: Result<Output, any Error>
        do {
            output = .success(try await body(&group))
        } catch {
            output = .failure(error)
        }
        var failures: [CompositeGroup.Failure] = []
        while let end = await tasks.next() {
            if let end { failures.append(end) }
        }
        return (output, failures)
    }
    var errors = failures.sorted { $0.number < $1.number }.map(\.error)
    switch output {
    case .success(let value) where errors.isEmpty: return value
    case .success: break
    case .failure(let error): errors.insert(error, at: 0)
    }
    throw CompositeError(errors)
}
