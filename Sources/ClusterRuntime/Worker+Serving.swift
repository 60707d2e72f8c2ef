import Dispatch
import Glibc
public import Remote
import Synchronization
public import Transport
import Wire

extension Worker {
    /// Makes this process, or a part of it, a worker of the driver at the other end of a link, until the link ends or the driver
    /// wants it no more.
    ///
    /// For transports of one's own; the driver's end is a ``LinkedWorker``.
    ///
    /// ```swift
    /// await Worker.serve(over: MyLink(connectedTo: driver))
    /// ```
    ///
    /// It says what it is, is told its number, runs what it is sent, and shows that it lives, whatever the bodies do. Bodies
    /// run in this process, in tasks, with its globals: one synchronous body at a time. In a body `Worker.id` is the number that
    /// the driver gave. The link is closed when this returns; bodies that still run are cancelled, and not waited for. If this
    /// task is cancelled, the worker leaves.
    ///
    /// - Parameter link: Not started yet.
    public static func serve(over link: any Link) async {
        let server = LinkServer(link)
        server.start()
        await withTaskCancellationHandler {
            await server.end()
        } onCancel: {
            link.close()
            server.leave()
        }
    }
}

/// What is between a link and the worker that serves it: the greeting, and signs of life.
private final class LinkServer: Sendable {
    private let link: any Link
    private let worker = InProcessWorker()
    /// Where signs of life come from, away from the threads that bodies may hold up.
    private let clock = DispatchQueue(label: "muster-link-server")
    private let hasEnded = Atomic(false)

    init(_ link: any Link) { self.link = link }

    func start() {
        link.start { [self] frame in
            hear(&frame)
        } onEnd: { [self] _ in
            leave()
        }
        try? link.send(
            .hello(
                Hello(
                    process: processID(), host: hostName(), buildID: BuildID.current.bytes, cpus: [], memory: nil)))
    }

    func end() async {
        _ = await worker.end()
        hasEnded.store(true, ordering: .relaxed)
        link.close()
    }

    func leave() { worker.finish(WorkerEnd(cause: .removed)) }

    /// Not inlined: see what `WholeValues.swift` says of task-local values.
    @inline(never)
    private func hear(_ frame: inout WireReader) {
        do {
            if Message.isWelcome(frame.rest) {
                let message: Message = try frame.read()
                if case .welcome(let welcome) = message { join(welcome) }
            } else {
                try worker.send(frame.rest, frame.restOfBlocks)
            }
        } catch {
            // What follows can't be understood either; the driver learns that its worker is gone.
            leave()
        }
    }

    private func join(_ welcome: Welcome) {
        worker.begin { [link] frame in try link.send(frame.rest, frame.restOfBlocks) }
        beat(every: max(0.01, welcome.heartbeatSeconds))
    }

    private func beat(every seconds: Double) {
        clock.asyncAfter(deadline: .now() + seconds) { [self] in
            guard !hasEnded.load(ordering: .relaxed) else { return }
            try? link.send(.heartbeat)
            beat(every: seconds)
        }
    }
}
