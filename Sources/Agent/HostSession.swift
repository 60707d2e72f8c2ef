import Remote
import SharedMemoryLink
import Synchronization
package import Transport
import Wire

/// The agent's side of its link to the driver: runs the workers that the driver asks for, and carries what they and the
/// driver say to each other.
package final class HostSession: Sendable {
    private struct State {
        var slots: [UInt32: HostSlot] = [:]
        var nextSlot: UInt32 = 1
        var heartbeatLimit = 15.0
        var monitor: HeartbeatMonitor?
        /// Of requests under way.
        var starts: [UInt64: Task<Void, Never>] = [:]
        var isEnding = false
        /// Whether there ever was a worker, and why there was none.
        var hasWorked = false
        var failure: String?
    }

    private let link: any Link
    /// Seconds that the driver may take for its first word: from then on its silence is noticed.
    private let welcomeLimit: Double
    private let source: any WorkerSource
    private let host: HostDescription
    private let network: (any PeerNetwork)?
    private let state = Mutex(State())
    private let kept = KeptBlocksOfHost()
    private let credit = LineCredit()
    /// Set once, in `init`.
    private let peers = Eventual<HostPeers>()
    /// Why it ended; fulfilled when all workers have.
    package let end = Eventual<HostSessionEnd>()

    /// A session over a link that is not started yet.
    ///
    /// - Parameters:
    ///   - network: How it reaches other agents; without, all blocks come from the driver.
    ///   - welcomeLimit: Seconds that the driver may take for its first word; a minute unless told.
    package init(
        _ link: any Link, _ source: any WorkerSource, _ host: HostDescription, network: (any PeerNetwork)? = nil,
        welcomeLimit: Double = 60
    ) {
        self.link = link
        self.welcomeLimit = welcomeLimit
        self.source = source
        self.host = host
        self.network = network
    }

    /// Serves until the driver says stop or is gone; then ``end`` is there.
    package func start() {
        peers.fulfil(
            HostPeers(network, kept) { [self] in
                for slot in state.withLock({ Array($0.slots.values) }) { slot.blocksCame(kept) }
            } onLack: { [self] block in
                tell(.lacks(block: block))
            })
        link.start { [self] frame in
            do {
                try receive(&frame)
            } catch {
                finish(.lost("the driver sent what is no message: \(error)"))
            }
        } onEnd: { [self] error in
            finish(.lost(error.map { "the link to the driver failed: \($0)" } ?? "the driver closed the link"))
        }
        tell(.here(host))
        Poller.links.after(seconds: welcomeLimit) { [weak self, welcomeLimit] in
            guard let self, state.withLock({ $0.monitor == nil }) else { return }
            finish(.lost("the driver said nothing within \(Int(welcomeLimit.rounded())) s"))
        }
    }

    // MARK: - Speaking

    private func tell(_ message: HostMessage, _ bytes: RawSpan = RawSpan(), _ blocks: [SharedArray<UInt8>] = []) {
        do {
            try link.tell(message, bytes, blocks)
        } catch {
            // A link that has ended says so by itself.
            if error.code != .closed { finish(.lost("the driver can't be told: \(error)")) }
        }
    }

    private func beat() {
        let (silence, next) = state.withLock { state -> (Double?, Double?) in
            guard !state.isEnding else { return (nil, nil) }
            let silence = state.monitor?.look(now: monotonicSeconds(), heard: link.lastHeard)
            return (silence, state.heartbeatLimit / 4)
        }
        if let silence {
            return finish(.lost("nothing was heard of the driver for \(Int(silence.rounded())) s"))
        }
        guard let next else { return }
        tell(.heartbeat)
        Poller.links.after(seconds: next) { [self] in beat() }
    }

    // MARK: - Hearing

    private func receive(_ frame: inout WireReader) throws(WireError) {
        let message: HostMessage = try frame.read()
        switch message {
        case .frame(let slot, let kept):
            // One that has just ended is not told.
            let slot = state.withLock { $0.slots[slot] }
            slot?.tell(frame.rest, kept: kept, frame.restOfBlocks, self.kept)
        case .heartbeat: break
        case .welcome(let limit):
            guard limit >= 0.1, limit <= 1e6 else { throw frame.invalid("a heartbeat limit of \(limit) s") }
            let isFirst = state.withLock { state in
                defer { state.monitor = HeartbeatMonitor(limit: limit, now: monotonicSeconds()) }
                state.heartbeatLimit = limit
                return state.monitor == nil
            }
            if isFirst { beat() }
        case .start(let request, let wanted): start(wanted, request)
        case .adopt(let slot, let worker): adopt(slot, as: worker)
        case .release(let slot): state.withLock { $0.slots[slot] }?.dismiss()
        case .kill(let slot, let end):
            state.withLock { $0.slots[slot] }?.worker.kill(because: end?.cause ?? .removed)
        case .keep(let block):
            guard frame.restOfBlocks.count == 1 else {
                throw frame.invalid("one block is to be kept, not another number")
            }
            peers.value?.have(frame.restOfBlocks[0], as: block)
        case .drop(let block): peers.value?.drop(block)
        case .admit(let pair, let secret):
            peers.value?.admit(pair, secret) { [self] port in tell(.listens(pair: pair, port: port)) }
        case .dial(let pair, let address, let port, let secret):
            guard (1...65_535).contains(port) else { throw frame.invalid("port \(port)") }
            peers.value?.dial(pair, address, port: port, secret)
        case .pass(let block, let pair): peers.value?.pass(block, over: pair)
        case .expect(let block, let pair): peers.value?.expect(block, over: pair)
        case .forgo(let pair): peers.value?.forgo(pair)
        case .printed(let byteCount): credit.give(byteCount)
        case .shutdown:
            finish(state.withLock { $0.hasWorked ? nil : $0.failure }.map { .useless($0) } ?? .dismissed)
        case .here, .up, .started, .failed, .ended, .notReplaced, .line, .note, .listens, .lacks, .leaving:
            throw frame.invalid("a driver does not say that")
        }
    }

    // MARK: - Workers

    private func start(_ wanted: HostRequest, _ request: UInt64) {
        let restarts = Restarts(wanted.restarts)
        state.withLock { state in
            guard !state.isEnding, state.starts[request] == nil else { return }
            state.starts[request] = Task {
                do {
                    try await source.start(wanted) { [self] line, worker, stream in
                        if wanted.keepsOutput {
                            WorkerOutput.print(line, from: worker, to: stream)
                        } else {
                            print(line, worker, stream)
                        }
                    } note: { [self] text in
                        tell(.note(text))
                    } ready: { [self] worker in
                        try add(worker, request, restarts)
                    }
                    tell(.started(request: request))
                } catch {
                    tell(.failed(request: request, reason: "\(error)"))
                    self.state.withLock { $0.failure = "\(error)" }
                }
                _ = self.state.withLock { $0.starts.removeValue(forKey: request) }
            }
        }
    }

    /// What the workers of one request have in common.
    private final class Restarts: Sendable {
        private let history: Mutex<RestartHistory>
        let limit: RestartLimit

        init(_ limit: RestartLimit) {
            self.limit = limit
            history = Mutex(RestartHistory(limit))
        }

        func mayRestart() -> Bool { history.withLock { $0.mayRestart(at: monotonicSeconds()) } }
    }

    /// The session is over.
    private struct Over: Error {}

    private func add(_ worker: any HostedWorker, _ request: UInt64?, _ restarts: Restarts) throws(Over) {
        let slot = state.withLock { state -> HostSlot? in
            guard !state.isEnding else { return nil }
            let number = state.nextSlot
            let slot = HostSlot(number, worker) { [self] message in
                var output = WireWriter(reserving: 256)
                message.write(to: &output)
                tell(.frame(slot: number, kept: []), output.bytes)
            }
            state.nextSlot += 1
            state.slots[slot.number] = slot
            state.hasWorked = true
            return slot
        }
        guard let slot else { throw Over() }
        tell(.up(slot: slot.number, request: request, worker.description))
        Task { await watch(slot, restarts) }
    }

    private func adopt(_ number: UInt32, as id: Int) {
        guard let slot = state.withLock({ $0.slots[number] }) else { return }
        let limit = state.withLock { $0.heartbeatLimit }
        numbers.withLock { $0[id] = number }
        Task {
            await slot.worker.adopt(as: id, heartbeatLimit: limit) { [self] frame in
                // That it is still here concerns this host alone.
                guard !Message.isHeartbeat(frame.rest) else { return }
                tell(.frame(slot: number, kept: []), frame.rest, frame.restOfBlocks)
            } onEnd: { _ in
            }
            slot.becameAdopted(kept)
        }
    }

    /// Slots by the workers' numbers.
    private let numbers = Mutex<[Int: UInt32]>([:])

    private func print(_ line: [UInt8], _ worker: Int, _ stream: CInt) {
        guard let slot = numbers.withLock({ $0[worker] }) else { return }
        // On the thread that reads the workers' pipes, which may wait.
        credit.take(line.count)
        // SAFETY: every byte of a span of `UInt8` is initialised.
        tell(.line(slot: slot, stream: stream), unsafe line.span.bytes)
    }

    /// Waits for the end of a worker, and starts another in its place if it did not end as it should.
    private func watch(_ slot: HostSlot, _ restarts: Restarts) async {
        let end = await slot.worker.end()
        slot.becameGone()
        let isEnding = state.withLock { state in
            state.slots[slot.number] = nil
            return state.isEnding
        }
        numbers.withLock { numbers in
            for (id, number) in numbers where number == slot.number { numbers[id] = nil }
        }
        // Who was told to end exits with status 0, and so does who wanted to.
        let isUnwanted =
            isEnding || slot.isDismissed || end.isOrderly
        let isReplaced = !isUnwanted && restarts.mayRestart()
        let note = isUnwanted || isReplaced ? nil : restarts.limit.exhaustion
        tell(.ended(slot: slot.number, end, isReplaced: isReplaced, note: note))
        guard isReplaced else { return await slot.worker.leavePlace() }
        do {
            guard let next = try await slot.worker.again() else {
                return tell(.notReplaced(slot: slot.number, reason: "it can't be started again"))
            }
            do throws(Over) {
                try add(next, nil, restarts)
            } catch {
                next.kill()
            }
        } catch {
            tell(.notReplaced(slot: slot.number, reason: "\(error)"))
            await slot.worker.leavePlace()
        }
    }

    // MARK: - The end

    /// Ends the workers and says goodbye: what they were at is done by others, and nobody is to blame.
    package func leave() {
        tell(.leaving)
        finish(.left)
    }

    private func finish(_ reason: HostSessionEnd) {
        let (slots, starts) = state.withLock { state -> ([HostSlot]?, [Task<Void, Never>]) in
            guard !state.isEnding else { return (nil, []) }
            state.isEnding = true
            return (Array(state.slots.values), Array(state.starts.values))
        }
        guard let slots else { return }
        for start in starts { start.cancel() }
        for slot in slots { slot.worker.kill() }
        Task {
            for slot in slots { _ = await slot.worker.end() }
            for start in starts { await start.value }
            credit.end()
            peers.value?.end()
            link.close()
            end.fulfil(reason)
        }
    }
}

/// Why an agent has nothing more to do.
package enum HostSessionEnd: Hashable, Sendable {
    /// The driver needs it no more.
    case dismissed
    /// It could not bring up the workers that the driver asked for, and why.
    case useless(String)
    /// It left by itself.
    case left
    /// The driver can't be reached any more, and why.
    case lost(String)
}
