package import Transport
package import Wire

/// A worker that an agent lends to its driver.
package protocol HostedWorker: Sendable {
    /// The link to it.
    var link: any Link { get }
    /// What the driver is told of it.
    var description: WorkerDescription { get }

    /// It has its number, and what it says goes to `onFrame` from now on.
    func adopt(
        as id: Int, heartbeatLimit: Double, onFrame: @escaping @Sendable (inout WireReader) -> Void,
        onEnd: @escaping @Sendable (LinkError?) -> Void
    ) async

    /// Waits until it has ended, and tells how.
    func end() async -> WorkerEnd

    /// Ends it, and what it started, at once.
    ///
    /// - Parameter cause: What is told of its end.
    func kill(because cause: WorkerEnd.Cause)

    /// Another one in its place, after it has ended; `nil` if there can't be one.
    func again() async throws -> (any HostedWorker)?

    /// It has ended, and none comes in its place: that is free.
    func leavePlace() async
}

extension HostedWorker {
    /// Ends it because nobody wants it any more.
    func kill() { kill(because: .removed) }
}

/// Where an agent has its workers from.
package protocol WorkerSource: Sendable {
    /// Brings up what a driver asks for, and hands each over when it is up.
    ///
    /// - Parameters:
    ///   - output: Where the lines go that the workers print.
    ///   - note: Is told what the user should know.
    func start(
        _ request: HostRequest, output: @escaping @Sendable (_ line: [UInt8], _ worker: Int, _ stream: CInt) -> Void,
        note: @escaping @Sendable (String) -> Void, ready: @Sendable (any HostedWorker) async throws -> Void
    ) async throws
}

/// Workers that are processes of this host.
package struct ProcessWorkers: WorkerSource {
    package init() {}

    package func start(
        _ request: HostRequest, output: @escaping @Sendable (_ line: [UInt8], _ worker: Int, _ stream: CInt) -> Void,
        note: @escaping @Sendable (String) -> Void, ready: @Sendable (any HostedWorker) async throws -> Void
    ) async throws {
        try await HostAgent.start(request, output: output, note: note) { worker in
            try await ready(ProcessWorker(worker: worker, startLimit: request.startLimit, output: output))
        }
    }
}

private struct ProcessWorker: HostedWorker {
    let worker: StartedWorker
    let startLimit: Double
    let output: @Sendable (_ line: [UInt8], _ worker: Int, _ stream: CInt) -> Void

    var link: any Link { worker.process.link }

    var description: WorkerDescription {
        WorkerDescription(hello: worker.hello, placement: worker.placement, warnings: worker.process.warnings)
    }

    func adopt(
        as id: Int, heartbeatLimit: Double, onFrame: @escaping @Sendable (inout WireReader) -> Void,
        onEnd: @escaping @Sendable (LinkError?) -> Void
    ) async {
        await worker.process.adopt(as: id, heartbeatLimit: heartbeatLimit, onFrame: onFrame, onEnd: onEnd)
    }

    func end() async -> WorkerEnd { await worker.process.end.get() }
    func kill(because cause: WorkerEnd.Cause) { worker.process.kill(because: cause) }

    func leavePlace() async { await worker.leavePlace() }

    func again() async throws -> (any HostedWorker)? {
        let next = try await worker.again(startLimit: startLimit, output: output)
        return ProcessWorker(worker: next, startLimit: startLimit, output: output)
    }
}
