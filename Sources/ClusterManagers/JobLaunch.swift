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
        var guardians: [JobGuardian] = []
        var job: String?
        /// Commands that are the job, or one of its tasks, and have not ended.
        var commands = 0
        /// Hosts that have joined.
        var joined = 0
        var submitting: Task<Void, Never>?
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
    private let turns: SubmissionTurns

    init(
        queue: Queue, request: JobRequest, submission: JobSubmission, options: JobOptions, workerStartLimit: Double,
        site: LaunchSite
    ) {
        (self.queue, self.request, self.submission, self.options) = (queue, request, submission, options)
        (self.workerStartLimit, self.site) = (workerStartLimit, site)
        turns = SubmissionTurns(queue.hasJobPerTask ? request.tasks : 1, atOnce: queue.jobsAtOnce)
    }

    /// Most bytes of a command's output that are looked at, about.
    private static var mostOutput: Int { 4 << 20 }

    /// Number of workers that the whole job brings.
    private var wanted: Int { request.tasks * request.workersPerTask }
    private var minimum: Int { min(options.minimum ?? wanted, wanted) }
    private var joinFile: String { request.joinFiles[0] }
    private var limit: Double { options.startLimit.seconds }

    /// Submits the job, and returns when enough of its workers are up.
    func run(_ port: any DriverPort) async throws {
        let invitation = try port.invite(
            request.tasks, for: options.startLimit + .seconds(60), key: nil
        ) { [self] link, address, _ in
            Task { await take(link, at: address) }
        }
        // Also while it is under way, where whoever asked for it does not wait for it.
        site.whenClosed { [self] in
            outcome.fulfil(.failure(ClusterError.closed))
            await close(invitation)
        }
        do {
            if !request.joinsByInput { try invitation.write(to: joinFile) }
            let input = request.joinsByInput ? try invitation.secretText(addresses: nil, port: nil) : nil
            expect()
            if submission.isAttached { submitCommands(input) } else { try await submit() }
            watch()
            try await withTaskCancellationHandler {
                try await outcome.get().get()
            } onCancel: {
                outcome.fulfil(.failure(CancellationError()))
            }
        } catch {
            await close(invitation)
            throw error
        }
    }

    // MARK: - Submitting

    /// Submits what has a command that stays, for each task if the queue wants that; where one comes to nothing, others may not.
    private func submitCommands(_ input: [UInt8]?) {
        let count = queue.hasJobPerTask ? request.tasks : 1
        state.withLock { $0.commands = count }
        let task = Task { [self] in
            await withDiscardingTaskGroup { group in
                for index in 0..<count {
                    group.addTask { [self] in
                        await turns.turn(index)
                        do { try await submit(input) } catch { fail(error) }
                    }
                }
            }
        }
        state.withLock { $0.submitting = task }
    }

    /// Submits, again and again with growing pauses where the queue only has no time; a command that stays, until its end.
    private func submit(_ input: [UInt8]? = nil) async throws {
        let start = monotonicSeconds()
        var pauses = queue.retryDelays.makeIterator()
        while true {
            try await SubmissionPace.turn(at: queue.name, perMinute: options.submissionsPerMinute)
            try Task.checkCancellation()
            let said: String
            var command: CommandSession.End?
            switch try await JobGuardian.submit(
                submission, to: queue, removing: request.joinsByInput ? [] : request.joinFiles + [request.outputFile],
                limit: min(60, limit), input: input)
            {
            case .submitted(let guardian, let job):
                keep(guardian, job)
                guard submission.isAttached else { return }
                guard let end = await guardian.end() else { throw CancellationError() }
                (said, command) = (JobGuardian.words(end), end)
            case .refused(let words): said = words
            }
            guard queue.mayPass(said), let pause = pauses.next(), monotonicSeconds() - start + pause < limit,
                state.withLock({ $0.isExpecting })
            else {
                if let command { return await commandEnded(command) }
                throw await failure(.refused(said), nil)
            }
            notice("\(queue.name) did not take a job, which is tried again in \(Int(pause)) s: \(said)")
            try await Task.sleep(for: .seconds(pause))
        }
    }

    /// Ends the launch, or tells why there are fewer workers if it has succeeded already.
    private func fail(_ error: any Error) {
        if !outcome.fulfil(.failure(error)), !(error is CancellationError) { notice("\(error)") }
    }

    /// The queue has the job, or a command has begun that is one.
    private func keep(_ guardian: JobGuardian, _ job: String?) {
        let isFirst = state.withLock { state in
            state.guardians.append(guardian)
            defer { state.job = job }
            return state.guardians.count == 1
        }
        if isFirst, let job { notice("\(queue.name) job \(job): waiting for \(wanted) workers") }
        if minimum == 0 { outcome.fulfil(.success(())) }
    }

    /// A command has ended that was the job or one of its tasks; what the others can bring may be too little now.
    private func commandEnded(_ end: CommandSession.End) async {
        let (open, hosts, isExpecting) = state.withLock { state in
            state.commands -= 1
            return (state.commands, state.joined + max(0, state.commands - state.hosts.count), state.isExpecting)
        }
        advance()
        let seen = JobState(.ended, "\(end.program)")
        let said = JobGuardian.words(end)
        if open == 0 { return await over(seen, said: said) }
        guard isExpecting, end.program != .exited(status: 0) else { return }
        let failure = await failure(.ended, seen, said: said)
        if hosts * request.workersPerTask >= minimum || !outcome.fulfil(.failure(failure)) { notice("\(failure)") }
    }

    /// Lets those be submitted for which there is room: for each that has joined, or whose command has ended without that.
    private func advance() {
        let arrived = state.withLock { state in
            let ended = (queue.hasJobPerTask ? request.tasks : 1) - state.commands
            return state.joined + max(0, ended - (state.joined - state.hosts.count))
        }
        turns.advance(arrived: arrived)
    }

    // MARK: - Workers

    /// Somebody has joined.
    private func take(_ link: any Link, at address: String?) async {
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
            if !state.isClosing {
                state.hosts[key] = host
                state.joined += 1
            }
            return state.isClosing
        }
        advance()
        do {
            let description = try await host.greet()
            let count = request.workersPerTask
            var request = description.offer ?? .ofHost(workers: count)
            // CPUs that the queue has not set aside for the task have others too. Which are free the kernel knows; to a plan all hosts
            // of this job's that share a machine look alike, in containers or with a /tmp of their own.
            if description.offer == nil, description.usableCPUCount > count { request.places = .unbound(count: count) }
            request.startLimit = workerStartLimit
            guard !isLate else { return await host.dismiss() }
            host.end.whenHere { [self] _ in Task { await lost(key, isWanted: host.isSentHome) } }
            if options.mindsWallTime, let left = description.secondsLeft {
                guard left > 0 else { throw LaunchError("its job has no time left; ask \(queue.name) for more") }
                mindEnd(of: host, secondsLeft: left)
            }
            try await host.launch(request)
        } catch {
            notice("an agent of \(queue.name) joined, and brought no workers: \(error)")
            await host.dismiss()
            outcome.fulfil(.failure(await failure(.agent("\(error)"), nil)))
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
    private func lost(_ key: ObjectIdentifier, isWanted: Bool) async {
        let isNews = state.withLock { state in
            state.hosts[key] = nil
            guard !isWanted, !state.isClosing, !state.isEndTold, state.job != nil else { return false }
            state.isEndTold = true
            return true
        }
        if isNews, let state = await query() {
            notice("a host of \(jobName) has ended; the job's state is \(inWords(state))")
        }
    }

    /// State, reason, and what helps.
    private func inWords(_ state: JobState) -> String {
        "\(state)" + (state.reason.flatMap(queue.cure).map { "; \($0)" } ?? "")
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
                // A command that stays says itself when it is over; the queue may not know of it yet.
                guard seen.phase != .ended || !submission.isAttached else { continue }
                let possible = wanted - seen.lostTasks * request.workersPerTask
                if seen.phase == .ended || possible < minimum { return await over(seen) }
                if seen != told, seen.phase == .waiting {
                    notice("\(jobName) waits: \(inWords(seen))")
                }
                told = seen
            }
        }
        state.withLock { $0.watch = task }
    }

    /// The time for workers to come up has passed.
    private func expire(_ last: JobState?) async {
        let seen = await query() ?? last
        // First the reason: where maps have no other workers, the program may be over when it is said that none comes.
        defer { expectNoMore() }
        if outcome.value == nil {
            let failure = await failure(.expired(seconds: limit, isCancelled: true), seen)
            if outcome.fulfil(.failure(failure)) { return }
        }
        let (isClosing, guardians) = state.withLock {
            ($0.isClosing, $0.up == 0 && $0.hosts.isEmpty ? $0.guardians : [])
        }
        guard !isClosing else { return }
        let isOfNoUse = !guardians.isEmpty
        notice("not all workers came: \(await failure(.expired(seconds: limit, isCancelled: isOfNoUse), seen))")
        // Agents that come now would be refused.
        for guardian in guardians { guardian.session.finishInput() }
    }

    /// The job has ended, and a command that was it said this.
    private func over(_ seen: JobState, said: String? = nil) async {
        defer { expectNoMore() }
        guard !state.withLock({ $0.isClosing }) else { return }
        let isComplete = state.withLock { $0.up } >= wanted
        let failure = await failure(.ended, seen, said: said)
        if !outcome.fulfil(.failure(failure)), !isComplete { notice("\(failure)") }
    }

    /// What the queue says of the job; `nil` if it does not answer.
    private func query() async -> JobState? {
        guard let job = state.withLock({ $0.job }) else { return nil }
        return await ask(queue.stateCommand(for: job)).flatMap(queue.state)
    }

    /// What a command of the queue's prints, a line for each of thousands of tasks perhaps; `nil` if it can't be run.
    private func ask(_ command: [String]) async -> String? { await run(command)?.output }

    /// How a command of the queue's ends, and what it prints; `nil` if it can't be run.
    private func run(_ command: [String]) async -> (program: RunningProgram.End, output: String)? {
        let words = command.map { Array($0.utf8) }
        let output = Mutex("")
        let session = try? await CommandSession.start(words, cure: "it comes with \(queue.name)") { source, line in
            guard source == .output else { return }
            output.withLock { text in
                if text.utf8.count < JobLaunch.mostOutput { text += String(decoding: line, as: UTF8.self) + "\n" }
            }
        }
        guard let session else { return nil }
        session.finishInput()
        session.expire(after: 20)
        let end = await session.end()
        return (end.program, output.withLock { $0 })
    }

    /// - Parameter said: What a command printed that has ended.
    private func failure(_ problem: JobFailure.Problem, _ seen: JobState?, said: String? = nil) async -> JobFailure {
        let (guardians, job, up) = state.withLock { ($0.guardians, $0.job, $0.up) }
        let output: String
        if submission.isAttached {
            // Of several commands one is as good as another.
            output = said ?? guardians.lazy.map(\.session.errorTail).first { !$0.isEmpty } ?? ""
        } else if let command = job.flatMap(queue.outputCommand) {
            output = JobLaunch.lines(of: await ask(command) ?? "")
        } else {
            output = JobLaunch.tail(of: request.outputFile)
        }
        return JobFailure(
            problem, queue, job: job, state: seen, submission, up: up, wanted: wanted, output: output,
            outputFile: request.joinsByInput ? nil : request.outputFile)
    }

    /// The last lines of a file; none if it can't be read.
    private static func tail(of path: String) -> String {
        let file = unsafe open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else { return "" }
        defer { Glibc.close(file) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let end = lseek(file, 0, SEEK_END)
        let count = unsafe pread(file, &bytes, bytes.count, max(0, end - off_t(bytes.count)))
        return lines(of: String(decoding: bytes.prefix(max(0, count)), as: UTF8.self))
    }

    /// A text without empty lines.
    private static func lines(of text: String) -> String {
        text.split(whereSeparator: \.isNewline).map { printable(String($0)) }.joined(separator: "\n")
    }

    // MARK: - The end

    private func close(_ invitation: any DriverInvitation) async {
        let (hosts, submitting, watch) = state.withLock { state in
            state.isClosing = true
            return (Array(state.hosts.values), state.submitting, state.watch)
        }
        submitting?.cancel()
        turns.open()
        watch?.cancel()
        expectNoMore()
        invitation.revoke()
        if !request.joinsByInput {
            invitation.remove(joinFile)
            // Its guardian removes that too, unless somebody has ended it.
            _ = unsafe unlink(request.outputFile)
        }
        await withTaskGroup { group in
            for host in hosts { group.addTask { await host.dismiss() } }
        }
        await submitting?.value
        let guardians = state.withLock { $0.guardians }
        // A command ends with its agent.
        let grace = submission.isAttached && !hosts.isEmpty ? 2.0 : 0
        let areCancelled = await withTaskGroup { group in
            for guardian in guardians { group.addTask { await guardian.cancel(within: 20, grace: grace) } }
            return await group.reduce(true) { $0 && $1 }
        }
        if !areCancelled, await !cancel() {
            notice("\(jobName) could not be cancelled yet; a process of its own goes on trying for some minutes")
        }
    }

    /// Cancels the job from here, should somebody have ended its guardian.
    private func cancel() async -> Bool {
        guard let job = state.withLock({ $0.job }) else { return true }
        return await run(queue.cancelCommand + [job])?.program == .exited(status: 0)
    }
}
