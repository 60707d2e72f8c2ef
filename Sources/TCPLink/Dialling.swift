import NIOCore
import NIOPosix
import NIOSSL
import Transport

/// One process's attempt to join at several addresses; used on one thread only.
final class Dialling {
    private enum Attempt {
        case notBegun
        case connecting
        case open(any Channel)
        case failed(String, isCutOff: Bool, JoinError.Code)
    }

    private let plan: DialPlan
    private let loop: any EventLoop
    private let promise: EventLoopPromise<TCPLink>
    private let end: Double
    private var attempts: [Attempt]
    /// How often each target was tried or given up, to tell what its last connection says from what earlier ones do.
    private var turns: [Int]
    /// Targets at which nobody listened.
    private var refusing: Set<Int> = []
    private var nextAttempt: Scheduled<Void>?
    private var deadline: Scheduled<Void>?
    /// Seconds before those that were cut off are tried again.
    private var pause = 0.02
    /// The one that has proven to have the key.
    private var chosen: Int?
    private var isOver = false

    init(_ plan: DialPlan, _ loop: any EventLoop, _ promise: EventLoopPromise<TCPLink>) {
        self.plan = plan
        self.loop = loop
        self.promise = promise
        attempts = plan.targets.map { _ in .notBegun }
        turns = plan.targets.map { _ in 0 }
        end = monotonicSeconds() + plan.options.patience.seconds
    }

    func begin() {
        guard !isOver else { return }
        let bound = NIOLoopBound(self, eventLoop: loop)
        deadline = loop.scheduleTask(in: Dialling.time(plan.options.patience.seconds)) {
            let dialling = bound.value
            dialling.finish(.failure(dialling.summary))
        }
        tryNext()
    }

    func cancel() { finish(.failure(JoinError(.notReached, "dialling the \(plan.other.word) was cancelled"))) }

    // MARK: - Attempts

    /// Begins the next attempt, and sees to it that the one after that begins in time.
    private func tryNext() {
        nextAttempt?.cancel()
        nextAttempt = nil
        guard !isOver, chosen == nil else { return }
        guard let index = attempts.indices.first(where: { if case .notBegun = attempts[$0] { true } else { false } })
        else { return tryAgain() }
        let bound = NIOLoopBound(self, eventLoop: loop)
        nextAttempt = loop.scheduleTask(in: Dialling.time(plan.options.headStart.seconds)) { bound.value.tryNext() }
        attempts[index] = .connecting
        turns[index] += 1
        let turn = turns[index]
        let (host, port) = plan.targets[index]
        let bootstrap = ClientBootstrap(group: loop)
            .connectTimeout(Dialling.time(max(end - monotonicSeconds(), 0.001)))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.writeBufferWaterMark, value: LinkSettings.waterMark)
            .channelOption(.recvAllocator, value: LinkSettings.reading)
            .channelInitializer { [launch = plan.launch, loop] channel in
                loop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(try Cryptography.client(launch))
                    try channel.pipeline.syncOperations.addHandler(DialHandler(bound.value, index, turn: turn))
                }
            }
        // A name is looked up, and its addresses tried by themselves.
        let connected =
            (try? SocketAddress(ipAddress: host, port: port)).map { bootstrap.connect(to: $0) }
            ?? bootstrap.connect(host: host, port: port)
        connected.assumeIsolated().whenComplete { result in
            switch result {
            case .success(let channel): self.opened(index, turn, channel)
            case .failure(let error): self.failed(index, turn, error)
            }
        }
    }

    /// When all attempts have failed: tries those again that were cut off, or gives up.
    private func tryAgain() {
        let isUndecided = attempts.contains { if case .failed = $0 { false } else { true } }
        guard !isUndecided else { return }
        let again = attempts.indices.filter { if case .failed(_, true, _) = attempts[$0] { true } else { false } }
        guard !again.isEmpty else { return finish(.failure(summary)) }
        let bound = NIOLoopBound(self, eventLoop: loop)
        // Those that were cut off together do not come back together.
        nextAttempt = loop.scheduleTask(in: Dialling.time(pause * Double.random(in: 0.5..<1.5))) {
            let dialling = bound.value
            for index in again { dialling.attempts[index] = .notBegun }
            dialling.tryNext()
        }
        pause = min(pause * 2, 1)
    }

    private func opened(_ index: Int, _ turn: Int, _ channel: any Channel) {
        guard !isOver, turn == turns[index] else { return channel.close(promise: nil) }
        if case .connecting = attempts[index] { attempts[index] = .open(channel) }
        if let chosen, chosen != index { giveUp(index) }
    }

    /// Closes the connection to a target because another one was first; it may get another turn.
    private func giveUp(_ index: Int) {
        guard case .open(let channel) = attempts[index] else { return }
        turns[index] += 1
        attempts[index] = .failed("another address was first", isCutOff: true, .notReached)
        channel.close(promise: nil)
    }

    /// Why a key must not be shown to whoever is at this address; nil if it may.
    func objection(to address: SocketAddress?) -> JoinError? {
        do throws(JoinError) {
            try plan.launch.key.checkLength(isLoopback: address?.isLoopback ?? false)
            return nil
        } catch {
            return error
        }
    }

    /// An attempt has come to its end.
    func failed(_ index: Int, _ turn: Int, _ error: any Error) {
        guard !isOver, turn == turns[index] else { return }
        if case .failed = attempts[index] { return }
        var code = (error as? JoinError)?.code ?? .notReached
        if case NIOSSLError.handshakeFailed = error, !Reason.isCutOff(error) { code = .notProven }
        // A process that is being called up may not listen yet.
        let isEarly = plan.direction == .listen && Reason.isNobody(error)
        if Reason.isRefused(error) { refusing.insert(index) } else { refusing.remove(index) }
        attempts[index] = .failed(
            Reason.words(error, isDriver: plan.isByFile), isCutOff: isEarly || Reason.isCutOff(error), code)
        if chosen == index { chosen = nil }
        tryNext()
    }

    /// The other side has the key. Whether it is the one to join.
    func proven(_ index: Int, _ turn: Int) -> Bool {
        guard !isOver, chosen == nil, turn == turns[index] else { return false }
        chosen = index
        nextAttempt?.cancel()
        nextAttempt = nil
        for other in attempts.indices where other != index { giveUp(other) }
        return true
    }

    /// What this process is.
    var greeting: Greeting { Greeting(plan.own, to: plan.other, buildID: plan.buildID) }

    /// The other side has answered.
    func answered(_ answer: GreetingAnswer, _ index: Int, _ makeLink: (LinkSettings) throws -> TCPLink) {
        guard !isOver, chosen == index else { return }
        if let objection = answer.objection(plan.other, buildID: plan.buildID) {
            return finish(.failure(JoinError(.refused, "\(objection) (\(plan.name(index)))")))
        }
        finish(Result { try makeLink(plan.options.links) })
    }

    // MARK: - The end

    /// What happened at each address.
    private var summary: JoinError {
        var code = JoinError.Code.notReached
        let lines = attempts.enumerated().map { index, attempt in
            var words = "nobody answered in time"
            if case .failed(let reason, _, let kind) = attempt {
                words = reason
                // Who was reached and is not the one says more than who was not.
                if code == .notReached { code = kind }
            }
            return "\(plan.name(index)): \(words)"
        }
        return JoinError(
            code, "could not join the \(plan.other.word) at \(lines.joined(separator: "; "))\(cure)")
    }

    /// What helps whoever has a join file: the addresses in it may be another host's.
    private var cure: String {
        guard plan.isByFile else { return "" }
        let isGone = refusing.count == attempts.count
        let isLocal = plan.targets.allSatisfy { NumericAddress($0.host)?.isLoopback == true }
        return (isGone ? ". Nobody listens there: has the driver ended?" : "")
            + (isLocal
                ? """
                \(isGone ? "" : ".") This file is good on the driver's own host only; for others \
                have it listen elsewhere: `--on elastic:address=automatic`, `ElasticManager(address: .automatic)`
                """ : "")
    }

    private func finish(_ result: Result<TCPLink, any Error>) {
        guard !isOver else { return }
        isOver = true
        nextAttempt?.cancel()
        deadline?.cancel()
        for (index, attempt) in attempts.enumerated() {
            guard case .open(let channel) = attempt else { continue }
            if index == chosen, case .success = result { continue }
            channel.close(promise: nil)
        }
        promise.completeWith(result)
    }

    private static func time(_ seconds: Double) -> TimeAmount { .nanoseconds(Int64(min(seconds, 1e9) * 1e9)) }
}
