import SharedMemoryLink
import Synchronization
package import Transport
import Wire

/// What happens on a host besides what was asked of it.
package enum HostEvent: Sendable {
    /// Another worker is being started in the place of one that has ended; ``newcomer(_:)`` or ``notReplaced(_:)`` follows, or
    /// the end of the host.
    case replacing
    /// That worker is up.
    case newcomer(HostWorker)
    /// It is not, and why.
    case notReplaced(String)
    /// Something that the user should know.
    case note(String)
    /// The host has no workers any more, and will not have any: the agent ends.
    case empty
    /// The link has ended; with the reason, where the host was not told to go.
    case ended(LinkError?, String?)
}

/// The driver's side of the one link to the agent of a host.
///
/// Blocks that workers of the host share cross it once.
package final class HostConnection: Sendable {
    private struct Pending {
        let ready: AsyncThrowingStream<HostWorker, any Error>.Continuation
    }

    private struct State {
        var workers: [UInt32: HostWorker] = [:]
        var requests: [UInt64: Pending] = [:]
        var nextRequest: UInt64 = 1
        var replacements = 0
        /// Those of all workers so far: none is used again.
        var slots: Set<UInt32> = []
        /// Of lines that wait to be printed.
        var unprintedByteCount = 0
        /// Whether there ever was a worker.
        var hasWorked = false
        var isDismissed = false
        /// Whether the host goes by itself, in an orderly way.
        var isLeaving = false
        /// Of lines that the agent has not been told of as printed.
        var printedByteCount = 0
        var monitor: HeartbeatMonitor?
        var isEnded = false
        var whyLost: String?
    }

    private static let nextNumber = Atomic(1)
    /// Seconds that an agent has to say what it is.
    private static let greetingLimit = 60.0

    /// Tells it from the other hosts of this process.
    let number = HostConnection.nextNumber.wrappingAdd(1, ordering: .relaxed).oldValue
    let link: any Link
    /// Where the host is, as seen from here; `nil` if that isn't known.
    let address: String?
    private let state = Mutex(State())
    private let heartbeatLimit: Double
    private let onEvent: @Sendable (HostEvent) -> Void
    private let here = Eventual<Result<HostDescription, LinkError>>()

    /// - Parameters:
    ///   - link: Not started yet.
    ///   - address: Where the host is, by which others may reach it too; `nil` if that isn't known, as behind a tunnel.
    ///   - heartbeatLimit: Seconds of silence after which either side takes the other for lost.
    ///   - onEvent: Told on a thread of the link's; must not block.
    package init(
        _ link: any Link, address: String? = nil, heartbeatLimit: Double,
        onEvent: @escaping @Sendable (HostEvent) -> Void
    ) {
        self.link = link
        self.address = address
        self.heartbeatLimit = heartbeatLimit
        self.onEvent = onEvent
    }

    /// Greets the agent, and waits for what it says of its host.
    ///
    /// - Throws: ``LinkError`` if the link ends before.
    package func start() async throws(LinkError) -> HostDescription {
        state.withLock { $0.monitor = HeartbeatMonitor(limit: heartbeatLimit, now: monotonicSeconds()) }
        link.start { [self] frame in
            do {
                try receive(&frame)
            } catch {
                fail("its agent sent what is no message: \(error)")
            }
        } onEnd: { [self] error in
            linkEnded(error)
        }
        try link.tell(.welcome(heartbeatLimit: heartbeatLimit))
        beat()
        let deadline = Poller.links.after(seconds: HostConnection.greetingLimit) { [self] in
            if here.value == nil { fail("its agent joined, and did not say what it is") }
        }
        defer { Poller.links.cancel(deadline) }
        return try await withTaskCancellationHandler {
            await here.get()
        } onCancel: {
            link.close()
        }.get()
    }

    /// The host's name, once it has said it.
    package var host: String {
        if case .success(let description) = here.value { description.host } else { "another host" }
    }

    /// Whether another host may be able to reach this one. Whoever is here by a loopback address is so for its own host alone.
    func canPassBlocks(to other: HostConnection) -> Bool {
        guard let address, let there = other.address else { return false }
        return HostConnection.isLoopback(address) == HostConnection.isLoopback(there)
    }

    private static func isLoopback(_ address: String) -> Bool { address.hasPrefix("127.") || address == "::1" }

    /// Has the agent start workers, and hands each over when it is up.
    ///
    /// - Throws: ``HostError`` with the agent's reason, or what `ready` throws; then the workers that were not handed over
    ///   are ended.
    package func launch(_ request: HostRequest, ready: (HostWorker) async throws -> Void) async throws {
        let (stream, continuation) = AsyncThrowingStream.makeStream(of: HostWorker.self, throwing: (any Error).self)
        let number = try state.withLock { state throws(HostError) -> UInt64 in
            guard !state.isEnded else { throw HostError(host: host, "the link to its agent has ended") }
            defer { state.nextRequest += 1 }
            state.requests[state.nextRequest] = Pending(ready: continuation)
            return state.nextRequest
        }
        defer {
            state.withLock { _ = $0.requests.removeValue(forKey: number) }
            dismissIfEmpty()
        }
        try link.tell(.start(request: number, request))
        var workers = stream.makeAsyncIterator()
        do {
            while let worker = try await workers.next() { try await ready(worker) }
            // A cancelled task's stream ends early.
            try Task.checkCancellation()
        } catch {
            let left = state.withLock { state -> [HostWorker] in
                _ = state.requests.removeValue(forKey: number)
                return state.workers.values.filter { $0.request == number && !$0.isAdopted }
            }
            for worker in left { worker.kill() }
            throw error
        }
    }

    /// Ends the agent and its workers.
    package func dismiss() {
        state.withLock { $0.isDismissed = true }
        try? link.tell(.shutdown)
    }

    /// Ends the link at once; the agent ends by that.
    package func close() { link.close() }

    // MARK: - Hearing

    private func receive(_ frame: inout WireReader) throws(WireError) {
        let message: HostMessage = try frame.read()
        switch message {
        case .frame(let slot, _):
            if let worker = state.withLock({ $0.workers[slot] }) { worker.hear(frame.rest, frame.restOfBlocks) }
        case .heartbeat: break
        case .here(let description): here.fulfil(.success(description))
        case .up(let slot, let request, let description): try cameUp(slot, request, description, &frame)
        case .started(let request):
            state.withLock { $0.requests[request] }?.ready.finish()
        case .failed(let request, let reason):
            state.withLock { $0.requests[request] }?.ready.finish(throwing: HostError(host: host, reason))
        case .ended(let slot, let end, let isReplaced, let note):
            let (worker, isLeaving) = state.withLock { state in
                if isReplaced { state.replacements += 1 }
                return (state.workers.removeValue(forKey: slot), state.isLeaving || state.isDismissed)
            }
            let end = isLeaving ? WorkerEnd(cause: .removed) : end
            if isReplaced {
                onEvent(.replacing)
                let name = worker?.name.map { "worker \($0)" } ?? "a worker"
                onEvent(.note("\(name) on \(host) \(end.causeInWords); another one is started in its place"))
            }
            if let note {
                onEvent(
                    .note(
                        "\(worker?.name.map { "worker \($0)" } ?? "a worker") on \(host) \(end.causeInWords), and \(note)"
                    ))
            }
            worker?.finish(end)
            dismissIfEmpty()
        case .notReplaced(_, let reason):
            state.withLock { $0.replacements = max(0, $0.replacements - 1) }
            onEvent(.notReplaced("on \(host) no worker came in the place of one that ended: \(reason)"))
            dismissIfEmpty()
        case .line(let slot, let stream):
            guard stream == 1 || stream == 2 else { throw frame.invalid("a worker has no stream \(stream)") }
            let byteCount = frame.remainingByteCount
            let waiting = state.withLock { state in
                state.unprintedByteCount += byteCount
                return state.unprintedByteCount
            }
            guard waiting <= 2 * LineCredit.limit else { throw frame.invalid("more lines than may wait") }
            guard let worker = state.withLock({ $0.workers[slot] }) else { return hasPrinted(byteCount) }
            worker.print(frame.rest, host: host, to: stream) { [self] in hasPrinted(byteCount) }
        case .leaving: state.withLock { $0.isLeaving = true }
        case .note(let text): onEvent(.note("\(host): \(text)"))
        case .listens(let pair, let port):
            guard (1...65_535).contains(port) else { throw frame.invalid("port \(port)") }
            BlockDistribution.shared.listens(pair, at: port, self)
        case .lacks(let block): BlockDistribution.shared.lacks(block, self)
        case .welcome, .start, .adopt, .kill, .keep, .drop, .shutdown, .admit, .dial, .pass, .expect, .forgo,
            .printed, .release:
            throw frame.invalid("an agent does not say that")
        }
    }

    private func hasPrinted(_ byteCount: Int) {
        let sum = state.withLock { state -> Int in
            state.printedByteCount += byteCount
            state.unprintedByteCount -= byteCount
            guard state.printedByteCount >= LineCredit.limit / 8 else { return 0 }
            defer { state.printedByteCount = 0 }
            return state.printedByteCount
        }
        if sum > 0 { try? link.tell(.printed(byteCount: sum)) }
    }

    private func cameUp(
        _ slot: UInt32, _ request: UInt64?, _ description: WorkerDescription, _ frame: inout WireReader
    ) throws(WireError) {
        let worker = HostWorker(self, slot, request, description)
        let (isAsked, pending) = state.withLock { state -> (Bool, Pending?) in
            if state.isEnded { return (true, nil) }
            // A worker that nobody asked for comes in the place of one that has ended.
            guard request != nil || state.replacements > 0, state.slots.insert(slot).inserted else {
                return (false, nil)
            }
            state.workers[slot] = worker
            state.hasWorked = true
            if request == nil { state.replacements -= 1 }
            return (true, request.flatMap { state.requests[$0] })
        }
        guard isAsked else { throw frame.invalid("a worker that nobody asked for") }
        if let pending {
            pending.ready.yield(worker)
        } else if request == nil {
            onEvent(.newcomer(worker))
        } else {
            // Nobody waits for it any more.
            worker.kill()
        }
    }

    /// An agent without workers has nothing to do, unless it goes by itself.
    private func dismissIfEmpty() {
        let isEmpty = state.withLock { state in
            guard !state.isEnded, !state.isDismissed, !state.isLeaving, state.hasWorked, state.workers.isEmpty,
                state.requests.isEmpty,
                state.replacements == 0
            else { return false }
            state.isDismissed = true
            return true
        }
        guard isEmpty else { return }
        onEvent(.empty)
        try? link.tell(.shutdown)
    }

    // MARK: - The end

    private func beat() {
        let silence = state.withLock { state -> Double?? in
            guard !state.isEnded else { return nil }
            return .some(state.monitor?.look(now: monotonicSeconds(), heard: link.lastHeard))
        }
        guard let silence else { return }
        if let silence { return fail("nothing was heard of its agent for \(Int(silence.rounded())) s") }
        try? link.tell(.heartbeat)
        Poller.links.after(seconds: heartbeatLimit / 4) { [self] in beat() }
    }

    /// The link is of no use any more.
    private func fail(_ reason: String) {
        state.withLock { if $0.whyLost == nil { $0.whyLost = reason } }
        link.close()
    }

    private func linkEnded(_ error: LinkError?) {
        let (workers, requests, isDismissed, isLeaving, why) = state.withLock { state in
            state.isEnded = true
            defer {
                state.workers = [:]
                state.requests = [:]
            }
            return (
                Array(state.workers.values), Array(state.requests.values), state.isDismissed, state.isLeaving,
                state.whyLost
            )
        }
        BlockDistribution.shared.forget(self)
        let reason = why ?? error.map { "the link to its agent failed: \($0)" } ?? "its agent ended"
        here.fulfil(.failure(error ?? LinkError(code: .closed, reason)))
        for worker in workers {
            worker.finish(WorkerEnd(cause: isDismissed || isLeaving ? .removed : .lost(reason)))
        }
        for request in requests { request.ready.finish(throwing: HostError(host: host, reason)) }
        let farewell = isLeaving ? "\(host) has left" : "\(host) is lost: \(reason)"
        onEvent(.ended(error, isDismissed ? nil : farewell))
    }
}

/// A host could not do what was asked of it.
package struct HostError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The host.
    package let host: String
    /// What happened there.
    package let reason: String

    init(host: String, _ reason: String) {
        self.host = host
        self.reason = reason
    }

    /// Host and reason in one sentence.
    package var description: String { "on \(host): \(reason)" }
}
