import Synchronization

/// What a process of a cluster has for bodies that run in it: values of its own, and what others refer to.
package final class ProcessState: Sendable {
    package let references: ReferenceTable
    /// Values of ``WorkerLocal``, by name.
    private let locals = Mutex<[String: any Sendable]>([:])

    package init(_ references: ReferenceTable) { self.references = references }

    package func local(_ name: String) -> (any Sendable)? { locals.withLock { $0[name] } }

    package func set(_ name: String, to value: (any Sendable)?) {
        let before = locals.withLock { locals in
            defer { locals[name] = value }
            return locals[name]
        }
        // Freed outside the lock.
        _ = consume before
    }

    // MARK: - The one that bodies have

    /// Takes a value from the process that this runs in.
    package static func clear(_ name: String) { current?.set(name, to: nil) }

    /// In a body, or a task that one has started, where the process is more than one worker.
    @TaskLocal package static var ofTask: ProcessState?

    private static let ofProcess = Mutex<ProcessState?>(nil)

    /// That of the process that this runs in; `nil` where that is part of no cluster.
    package static var current: ProcessState? { ofTask ?? ofProcess.withLock { $0 } }

    /// This process is part of a cluster, and of no other but those of its tasks.
    package static func become(_ state: ProcessState?) { ofProcess.withLock { $0 = state } }
}
