import Agent
import ClusterRuntime
import Glibc
import Remote
import Scheduling
import Synchronization
import Transport

/// One job, from its submission to its end, and the workers that it brings.
final class JobLaunch<Queue: JobQueue>: Sendable {
    private struct State {
        var guardian: JobGuardian?
        var job: String?
        var hosts: [ObjectIdentifier: RemoteHost] = [:]
        /// Workers that have come up.
        var up = 0
        /// Whether the site has been told that more may come.
        var isExpecting = false
        var isClosing = false
        var isEndTold = false
        var watch: Task<Void, Never>?
    }

    private let queue: Queue
    private let request: JobRequest
    private let submission: JobSubmission
    private let options: JobOptions
    private let workerStartLimit: Double
    private let site: LaunchSite
    private let state = Mutex(State())
    private let outcome = Eventual<Result<Void, any Error>>()

    init(
        queue: Queue, request: JobRequest, submission: JobSubmission, options: JobOptions, workerStartLimit: Double,
        site: LaunchSite
    ) {
        (self.queue, self.request, self.submission, self.options) = (queue, request, submission, options)
        (self.workerStartLimit, self.site) = (workerStartLimit, site)
    }

    /// Number of workers that the whole job brings.
    private var wanted: Int { request.tasks * request.workersPerTask }
    private var minimum: Int { min(options.minimum ?? wanted, wanted) }
    private var joinFile: String { String(request.outputFile.dropLast(4)) }
    private var limit: Double { options.startLimit.seconds }

    /// Submits the job, and returns when enough of its workers are up.
    func run(_ port: any DriverPort) async throws {
        let invitation = try port.invite(
            request.tasks, for: options.startLimit + .seconds(60), key: nil
        ) { [self] link, address, _ in
            Task { await take(link, at: address) }
        }
        do {
            try invitation.write(to: joinFile)
            expect()
            try await submit()
            watch()
            if minimum == 0 { outcome.fulfil(.success(())) }
            try await withTaskCancellationHandler {
                try await outcome.get().get()
            } onCancel: {
                outcome.fulfil(.failure(CancellationError()))
            }
        } catch {
            await close(invitation)
            throw error
        }
        site.whenClosed { [self] in await close(invitation) }
    }

    // MARK: - Submitting

    /// Submits, again and again with growing pauses where the queue only has no time.
    private func submit() async throws {
        let start = monotonicSeconds()
        var pauses = ExponentialBackOff(n: 20, firstDelay: 3, maxDelay: 60, factor: 2, jitter: 0.5).makeIterator()
        while true {
            try await SubmissionPace.turn(at: queue.name, perMinute: options.submissionsPerMinute)
            try Task.checkCancellation()
            switch try await JobGuardian.submit(
                submission, to: queue, removing: [joinFile, request.outputFile], limit: min(60, limit))
            {
            case .submitted(let guardian, let job):
                state.withLock { ($0.guardian, $0.job) = (guardian, job) }
                if let job { notice("\(queue.name) job \(job): waiting for \(wanted) workers") }
                guardian.session.whenEnded { [self] end in
                    if submission.isAttached { over(JobState(.ended, "\(end.program)")) }
                }
                return
            case .refused(let said):
                let failure = failure(.refused(said), nil)
                guard queue.mayPass(said), let pause = pauses.next(), monotonicSeconds() - start + pause < limit else {
                    throw failure
                }
                notice("\(queue.name) did not take a job, which is tried again in \(Int(pause)) s: \(said)")
                try await Task.sleep(for: .seconds(pause))
            }
        }
    }

    // MARK: - Workers

    /// Somebody has joined.
    private func take(_ link: any Link, at address: String) async {
        let host = RemoteHost(link, at: address, site) { [self] _, _ in
            let up = state.withLock { state in
                state.up += 1
                return state.up
            }
            if up >= minimum { outcome.fulfil(.success(())) }
            if up >= wanted { expectNoMore() }
        }
        let key = ObjectIdentifier(host)
        let isLate = state.withLock { state in
            if !state.isClosing { state.hosts[key] = host }
            return state.isClosing
        }
        do {
            let description = try await host.greet()
            var request = description.offer ?? .ofHost(workers: request.workersPerTask)
            request.startLimit = workerStartLimit
            guard !isLate else { return await host.dismiss() }
            host.end.whenHere { [self] _ in Task { await lost(key) } }
            if options.mindsWallTime, let left = description.secondsLeft { mindEnd(of: host, secondsLeft: left) }
            try await host.launch(request)
        } catch {
            notice("an agent of \(queue.name) joined, and brought no workers: \(error)")
            await host.dismiss()
            outcome.fulfil(.failure(failure(.agent("\(error)"), nil)))
        }
    }

    /// Has a host leave before the queue ends it.
    private func mindEnd(of host: RemoteHost, secondsLeft: Double) {
        host.willEnd(at: monotonicSeconds() + secondsLeft)
        let times = WallTime(secondsLeft: secondsLeft)
        let task = Task { [self] in
            guard (try? await Task.sleep(for: .seconds(times.drain))) != nil else { return }
            let isFirst = state.withLock { state in
                // Why hosts end now is known.
                defer { state.isEndTold = true }
                return !state.isEndTold && !state.isClosing
            }
            if isFirst {
                notice("\(jobName) is near its time limit: its workers finish what they are at, and leave the rest")
            }
            await host.retire(within: times.patience)
        }
        host.end.whenHere { _ in task.cancel() }
    }

    /// A host has ended; where nobody here wanted that, the queue is asked why.
    private func lost(_ key: ObjectIdentifier) async {
        let isNews = state.withLock { state in
            state.hosts[key] = nil
            guard !state.isClosing, !state.isEndTold, state.job != nil else { return false }
            state.isEndTold = true
            return true
        }
        if isNews, let state = await query() {
            let cure = state.reason.flatMap(queue.cure).map { "; \($0)" } ?? ""
            notice("a host of \(jobName) has ended; the job's state is \(state)\(cure)")
        }
    }

    private var jobName: String { queue.name + (state.withLock { $0.job }.map { " job \($0)" } ?? "") }

    private func expect() {
        state.withLock { $0.isExpecting = true }
        site.expectMore()
    }

    private func expectNoMore() {
        let wasExpecting = state.withLock { state in
            defer { state.isExpecting = false }
            return state.isExpecting
        }
        if wasExpecting { site.expectNoMore() }
    }

    // MARK: - Watching

    /// Looks after the job until all of its workers are up, it has ended, or the time is up.
    private func watch() {
        let deadline = monotonicSeconds() + limit
        let task = Task { [self] in
            var pauses = ExponentialBackOff(n: .max, firstDelay: 3, maxDelay: 30, factor: 1.5, jitter: 0.3)
                .makeIterator()
            var told: JobState?
            while !Task.isCancelled {
                let left = deadline - monotonicSeconds()
                guard left > 0 else { return await expire(told) }
                guard (try? await Task.sleep(for: .seconds(min(pauses.next() ?? 30, left)))) != nil else { return }
                guard state.withLock({ $0.isExpecting }) else { return }
                guard let seen = await query() else { continue }
                if seen.phase == .ended { return over(seen) }
                if seen != told, seen.phase == .waiting {
                    let cure = seen.reason.flatMap(queue.cure).map { "; \($0)" } ?? ""
                    notice("\(jobName) waits: \(seen)\(cure)")
                }
                told = seen
            }
        }
        state.withLock { $0.watch = task }
    }

    /// The time for workers to come up has passed.
    private func expire(_ last: JobState?) async {
        let seen = await query() ?? last
        expectNoMore()
        if outcome.fulfil(.failure(failure(.expired(seconds: limit, isCancelled: true), seen))) { return }
        guard !state.withLock({ $0.isClosing }) else { return }
        notice("not all workers came: \(failure(.expired(seconds: limit, isCancelled: false), seen))")
    }

    /// The job has ended.
    private func over(_ seen: JobState) {
        expectNoMore()
        guard !state.withLock({ $0.isClosing }) else { return }
        let isComplete = state.withLock { $0.up } >= wanted
        let failure = failure(.ended, seen)
        if !outcome.fulfil(.failure(failure)), !isComplete { notice("\(failure)") }
    }

    /// What the queue says of the job; `nil` if it does not answer.
    private func query() async -> JobState? {
        guard let job = state.withLock({ $0.job }) else { return nil }
        let words = queue.stateCommand(for: job).map { Array($0.utf8) }
        guard let session = try? await CommandSession.start(words, cure: "it comes with \(queue.name)") else {
            return nil
        }
        session.finishInput()
        session.expire(after: 20)
        let end = await session.end()
        return queue.state(from: end.output)
    }

    private func failure(_ problem: JobFailure.Problem, _ seen: JobState?) -> JobFailure {
        let (guardian, job, up) = state.withLock { ($0.guardian, $0.job, $0.up) }
        let output =
            submission.isAttached ? guardian?.session.errorTail ?? "" : JobLaunch.tail(of: request.outputFile)
        return JobFailure(
            problem, queue, job: job, state: seen, submission, up: up, wanted: wanted, output: output,
            outputFile: request.outputFile)
    }

    /// The last lines of a file; none if it can't be read.
    private static func tail(of path: String) -> String {
        let file = unsafe open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else { return "" }
        defer { Glibc.close(file) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let end = lseek(file, 0, SEEK_END)
        let count = unsafe pread(file, &bytes, bytes.count, max(0, end - off_t(bytes.count)))
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
            .split(whereSeparator: \.isNewline).joined(separator: "\n")
    }

    // MARK: - The end

    private func close(_ invitation: any DriverInvitation) async {
        let (hosts, guardian, watch) = state.withLock { state in
            state.isClosing = true
            return (Array(state.hosts.values), state.guardian, state.watch)
        }
        watch?.cancel()
        expectNoMore()
        invitation.revoke()
        invitation.remove(joinFile)
        await withTaskGroup { group in
            for host in hosts { group.addTask { await host.dismiss() } }
        }
        if let guardian, await !guardian.cancel(within: 20), await !cancel() {
            notice("\(jobName) could not be cancelled yet; a process of its own goes on trying for some minutes")
        }
    }

    /// Cancels the job from here, should somebody have ended its guardian.
    private func cancel() async -> Bool {
        guard let job = state.withLock({ $0.job }) else { return true }
        let words = (queue.cancelCommand + [job]).map { Array($0.utf8) }
        guard let session = try? await CommandSession.start(words, cure: "it comes with \(queue.name)") else {
            return false
        }
        session.finishInput()
        session.expire(after: 20)
        let end = Eventual<CommandSession.End>()
        session.whenEnded { end.fulfil($0) }
        return await end.get().program == .exited(status: 0)
    }
}
