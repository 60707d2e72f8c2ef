import Agent
import ClusterRuntime
import Scheduling
import Synchronization
import Transport

/// The dialling of a launch's agents, from the moment at which their join files are written.
final class KubernetesDialling: DriverInvitation {
    private struct State {
        var work: Task<Void, Never>?
        /// Through which the links go.
        var forwards: [CommandSession] = []
        var joined = 0
        /// Why agents could not be reached, as far as that has been told.
        var told: Set<String> = []
        var isRevoked = false
    }

    private let forwards: KubernetesForwards
    private let summons: [any DriverSummons]
    private let end: Double
    private let onJoin: @Sendable (_ link: any Link, _ address: String?, _ remaining: Int) -> Void
    private let state = Mutex(State())

    /// Seconds for a link to say goodbye in.
    private static let grace = 5.0

    init(
        _ forwards: KubernetesForwards, _ summons: [any DriverSummons], for limit: Duration,
        onJoin: @escaping @Sendable (_ link: any Link, _ address: String?, _ remaining: Int) -> Void
    ) {
        (self.forwards, self.summons, self.onJoin) = (forwards, summons, onJoin)
        end = monotonicSeconds() + limit.seconds
    }

    func secretText(addresses: [String]?, port: Int?) throws -> [UInt8] { try summons[0].secretText() }

    var isUsedUp: Bool { state.withLock { $0.joined == summons.count } }

    func write(to path: String) throws {
        for (summons, file) in zip(summons, forwards.request.joinFiles) { try summons.write(to: file) }
        let work = Task { [self] in await dialAll() }
        state.withLock { $0.work = work }
    }

    func remove(_ path: String) {
        for (summons, file) in zip(summons, forwards.request.joinFiles) { summons.remove(file) }
    }

    func revoke() {
        let (work, forwards) = state.withLock { state in
            state.isRevoked = true
            return (state.work, state.forwards)
        }
        work?.cancel()
        for forward in forwards { forward.expire(after: KubernetesDialling.grace) }
    }

    // MARK: - Dialling

    /// Dials each agent when its pod runs.
    private func dialAll() async {
        let (running, isRunning) = AsyncStream<Int>.makeStream()
        let watch = Task { await watchPods(isRunning) }
        defer { watch.cancel() }
        await withDiscardingTaskGroup { group in
            var begun: Set<Int> = []
            for await number in running where begun.insert(number).inserted {
                group.addTask { [self] in await dial(number) }
                if begun.count == summons.count { break }
            }
            watch.cancel()
        }
    }

    /// Tells of pods that run, until it is cancelled: a watch may end without a reason, and then another begins.
    private func watchPods(_ isRunning: AsyncStream<Int>.Continuation) async {
        let command =
            forwards.kubectl + [
                "get", "pods", "--watch", "--selector", KubernetesManifest.selector(forwards.request.name),
                "--output=jsonpath={.metadata.name} {.status.phase}{\"\\n\"}",
            ]
        for pause in pauses {
            if let session = try? await start(
                command,
                onLine: { [self] line in
                    let words = line.split(separator: " ")
                    if words.count == 2, words[1] == "Running", let number = number(ofPod: words[0]) {
                        isRunning.yield(number)
                    }
                })
            {
                _ = await session.end()
            }
            try? await Task.sleep(for: .seconds(pause))
        }
        isRunning.finish()
    }

    private func number(ofPod name: Substring) -> Int? {
        guard name.hasPrefix(forwards.request.name + "-") else { return nil }
        return Int(name.dropFirst(forwards.request.name.count + 1)).flatMap { summons.indices.contains($0) ? $0 : nil }
    }

    /// Dials one agent until it is there: a forward ends when the agent does not listen yet.
    private func dial(_ number: Int) async {
        let command =
            forwards.kubectl + [
                "port-forward", "--address=127.0.0.1", "pod/\(forwards.request.name)-\(number)", ":\(forwards.port)",
            ]
        for pause in pauses {
            let near = Eventual<Int?>()
            let session = try? await start(command) { [forwards] line in
                if let port = KubernetesQueue.forwardedPort(in: line, to: forwards.port) { near.fulfil(port) }
            }
            guard let session else { return }
            session.whenEnded { _ in near.fulfil(nil) }
            let left = end - monotonicSeconds()
            session.expire(after: max(left, 1))
            let port = await withTaskCancellationHandler {
                await near.get()
            } onCancel: {
                session.kill()
            }
            if let port, let link = await reach(number, port, session, within: left) {
                return hand(over: link, session)
            }
            session.kill()
            _ = await session.end()
            try? await Task.sleep(for: .seconds(pause))
        }
    }

    /// Dials until somebody is there, or the forward has ended.
    private func reach(_ number: Int, _ port: Int, _ session: CommandSession, within seconds: Double) async -> (
        any Link
    )? {
        let dialling = Task { [self] in
            try await summons[number].reach(["127.0.0.1"], port: port, within: .seconds(seconds))
        }
        session.whenEnded { _ in dialling.cancel() }
        do {
            return try await withTaskCancellationHandler {
                try await dialling.value
            } onCancel: {
                dialling.cancel()
            }
        } catch {
            // Not that its forward has ended, as it does until the agent listens.
            if !dialling.isCancelled, state.withLock({ $0.told.insert("\(error)").inserted }) {
                notice("an agent in pod \(forwards.request.name)-\(number) can't be reached: \(error)")
            }
            return nil
        }
    }

    private func hand(over link: any Link, _ session: CommandSession) {
        session.expire(after: nil)
        let remaining = state.withLock { state -> Int? in
            guard !state.isRevoked else { return nil }
            state.joined += 1
            state.forwards.append(session)
            return summons.count - state.joined
        }
        guard let remaining else {
            link.close()
            return session.kill()
        }
        onJoin(link, nil, remaining)
    }

    // MARK: - Commands

    /// Seconds between attempts, as long as there is time and the task is not cancelled.
    private var pauses: some Sequence<Double> {
        ExponentialBackOff(n: .max, firstDelay: 0.5, maxDelay: 15, factor: 1.5, jitter: 0.3).lazy
            .prefix { [end] _ in monotonicSeconds() < end && !Task.isCancelled }
    }

    /// Starts a command, each line of whose output is looked at; it ends with the task.
    private func start(
        _ command: [String], onLine: @escaping @Sendable (String) -> Void
    ) async throws -> CommandSession {
        let session = try await CommandSession.start(
            command.map { Array($0.utf8) }, cure: "install kubectl, or give its path (kubectl)"
        ) { source, line in
            if source == .output { onLine(String(decoding: line, as: UTF8.self)) }
        }
        session.finishInput()
        return session
    }
}
