import Glibc
import SharedMemoryLink
import Synchronization
package import Transport

/// The links between this worker and others that the same process started, made when somebody asks for one.
///
/// They are made of rings in shared memory, as that to the driver, and large arrays lie in the memory of the worker that
/// sends them: nothing of what is said passes through a third process.
package final class WorkerNeighbours: Sendable {
    private struct State {
        var accept: (@Sendable (_ worker: Int, _ link: any Link) -> Void)?
        /// Links that came before anybody wanted to know.
        var early: [(worker: Int, link: any Link)] = []
        var wishes: [UInt64: NeighbourWish] = [:]
        var lastRequest: UInt64 = 0
    }

    /// Seconds after which a worker that has not answered is not waited for.
    private static let limit = 10.0
    /// Seconds until what was too much is tried again.
    private static let pause = 0.01
    /// Messages that are heard before the poller's other descriptors have their turn.
    private static let messagesAtATime = 16

    private let socket: CInt
    private let state = Mutex(State())

    /// Hears what is said over the socket to the process that started this worker.
    ///
    /// - Parameter socket: Open for as long as this process lives; its end is this process's.
    init(_ socket: CInt) throws(SystemError) {
        self.socket = socket
        _ = fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) | O_NONBLOCK)
        _ = try Poller.links.watch(socket, for: .readable) { [self] _ in hear() }
    }

    // MARK: - Wanting links

    /// Makes a link to the worker whose process is `process` on this host; it is not started yet.
    ///
    /// Each call makes another link. When one of two linked workers ends, so does the other's end of the link.
    ///
    /// - Parameter process: The operating system's number of a process that the same process started as a worker, of
    ///   whatever cluster.
    /// - Throws: ``LinkError`` that names the process and the reason: it is no such worker, has ended, or has not answered
    ///   within 10 s; memory or descriptors ran out; or the task was cancelled.
    /// - Complexity: Some 50 system calls, most of them here, none in between that waits; 260 KB of memory, and 3 descriptors
    ///   in either worker, for as long as the link is there.
    package func connect(toProcess process: Int) async throws(LinkError) -> any Link {
        guard process != Int(getpid()) else {
            throw WorkerNeighbours.refusal(LinkError(code: .broken, "it is this one"), process)
        }
        let deadline = monotonicSeconds() + WorkerNeighbours.limit
        while true {
            switch try await attempt(process, until: deadline) {
            case .linked(let link): return link
            case .failed(let error): throw WorkerNeighbours.refusal(error, process)
            case .notNow(let reason):
                guard monotonicSeconds() < deadline, !Task.isCancelled else {
                    throw WorkerNeighbours.refusal(LinkError(code: .tooMuchWaiting, reason), process)
                }
                await withCheckedContinuation { continuation in
                    _ = Poller.links.after(seconds: WorkerNeighbours.pause) { continuation.resume() }
                }
            }
        }
    }

    private static func refusal(_ error: LinkError, _ process: Int) -> LinkError {
        LinkError(code: error.code, "there is no link to worker process \(process): \(error)")
    }

    private func attempt(
        _ process: Int, until deadline: Double
    ) async throws(LinkError) -> NeighbourWish.Outcome {
        let (wish, request) = try ask(for: process)
        defer { state.withLock { _ = $0.wishes.removeValue(forKey: request) } }
        let timer = Poller.links.after(seconds: max(deadline - monotonicSeconds(), 0)) {
            wish.end(
                .failed(LinkError(code: .broken, "it has not answered within \(Int(WorkerNeighbours.limit)) s")))
        }
        defer { Poller.links.cancel(timer) }
        return await withTaskCancellationHandler {
            await wish.get()
        } onCancel: {
            wish.end(.failed(LinkError(code: .closed, "the task that waited for it was cancelled")))
        }
    }

    private func ask(for process: Int) throws(LinkError) -> (NeighbourWish, request: UInt64) {
        // What a program may need itself stays free.
        _ = OpenFiles.makeRoom(forLinks: NeighbourOffer.count + NeighbourAnswer.count)
        let offer = try NeighbourOffer()
        let wish = NeighbourWish(offer.rings)
        let request = state.withLock { state in
            state.lastRequest += 1
            state.wishes[state.lastRequest] = wish
            return state.lastRequest
        }
        let message = NeighbourMessage.connect(request: request, process: process)
        switch SocketMessage.send(message.bytes, with: offer.descriptors, to: socket) {
        case .sent: wish.listen(owning: offer.takeSocket())
        case .full: wish.end(.notNow("the process that started it takes no more messages"))
        case .ended: wish.end(.failed(.closed))
        case .failed(let error): wish.end(.failed(LinkError(code: .broken, "\(error)")))
        }
        return (wish, request)
    }

    // MARK: - Being wanted

    /// Takes the links that other workers of this host make, those that were made already first; they are not started yet.
    ///
    /// - Parameter accept: Called on the poller's thread, which it must not block; `worker` is the number that the process
    ///   that started both knows the other by.
    package func onLink(_ accept: @escaping @Sendable (_ worker: Int, _ link: any Link) -> Void) {
        let early = state.withLock { state in
            state.accept = accept
            defer { state.early = [] }
            return state.early
        }
        for (worker, link) in early { accept(worker, link) }
    }

    private func join(_ offer: consuming SocketMessage, from worker: Int) {
        _ = OpenFiles.makeRoom(forLinks: NeighbourOffer.count + NeighbourAnswer.count)
        guard let link = NeighbourAnswer.link(to: offer) else { return }
        let accept = state.withLock { state in
            if state.accept == nil { state.early.append((worker, link)) }
            return state.accept
        }
        accept?(worker, link)
    }

    // MARK: - Hearing

    private func hear() {
        do {
            for _ in 0..<WorkerNeighbours.messagesAtATime {
                switch try SocketMessage.receive(from: socket) {
                case .nothing: return
                case .ended: WorkerLoop.endGroup()
                case .message(let message): try receive(message)
                }
            }
        } catch {
            WorkerLoop.endGroup(saying: "the process that started this worker can't be understood: \(error)")
        }
    }

    private func receive(_ message: consuming SocketMessage) throws(LinkError) {
        switch try NeighbourMessage(message.bytes) {
        case .offer(let worker): join(message, from: worker)
        case .refused(let request, let reason, let isForNow):
            // It may have been given up by now.
            let wish = state.withLock { $0.wishes[request] }
            wish?.end(isForNow ? .notNow(reason) : .failed(LinkError(code: .broken, reason)))
        case .connect, .accepted, .declined:
            throw LinkError(code: .broken, "it says what only workers say")
        }
    }
}
