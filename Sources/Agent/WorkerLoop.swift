import CPlatform
import Glibc
import Machine
import Placement
import Remote
import SharedMemoryLink
import Synchronization
import Transport
import Wire

/// What a worker does from its first `withCluster` on.
///
/// Three threads: one that hears the agent and runs synchronous bodies, one after the other, so that what it hears it can
/// begin at once; the poller's, which shows that this process is alive, whatever the bodies do, and hears the agent while
/// one runs; and Swift's pool, for asynchronous bodies.
package enum WorkerLoop {
    /// Whether this is a body, or a task that one started: there `withCluster` makes the worker a driver as well.
    @TaskLocal package static var isInBody = false

    private static let isRunning = Atomic(false)

    /// Serves until the agent says stop or is gone; the process ends with it.
    ///
    /// Suspends rather than blocks, so that main-actor work of asynchronous bodies can run. Of several calls (a program
    /// that makes several clusters at the same time) one serves, and none returns.
    package static func run(link descriptor: CInt) async -> Never {
        if !isRunning.exchange(true, ordering: .relaxed) { serve(link: descriptor) }
        while true { await unsafe withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in } }
    }

    /// - Parameter link: The socket; the memory of the rings and the agent's bell are the next two descriptors.
    private static func serve(link: CInt) {
        platform_flush_output()
        platform_buffer_output_by_line()
        let (memory, bell) = (link + 1, link + 2)
        for descriptor in [link, memory, bell] { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        let parent = getppid()
        if platform_end_with_parent(parent) != 0 { endGroup() }
        do {
            let rings = try WorkerRings(joining: Descriptor(owning: memory), bell: bell)
            // Nothing is sent over the socket: it tells of the agent's end.
            _ = try Poller.links.watch(link, for: .readable) { _ in endGroup() }
            WorkerSession(rings).start()
        } catch {
            let text = Array("muster: a worker can't reach its driver: \(error)\n".utf8)
            unsafe platform_print(STDERR_FILENO, text, text.count)
            endGroup()
        }
    }

    /// Ends this process and everything it started.
    fileprivate static func endGroup() -> Never {
        if getpgrp() == getpid() { kill(0, SIGKILL) }
        _exit(1)
    }
}

/// Sets what `ps` and `top` show of this process; it was started as `/proc/self/exe`, so that they would show "exe".
private func nameProcess(_ name: String) {
    let descriptor = unsafe open("/proc/self/comm", O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    let bytes = Array(name.utf8)
    _ = unsafe write(descriptor, bytes, bytes.count)
}

/// The worker's side of its link.
private final class WorkerSession: Sendable {
    /// A call that runs or waits to.
    private final class Running: Sendable {
        let isCancelled = Atomic(false)
        let task = Mutex<Task<Void, Never>?>(nil)

        func cancel() {
            isCancelled.store(true, ordering: .relaxed)
            task.withLock { $0 }?.cancel()
        }
    }

    private enum Work: Sendable {
        case defineFunction([UInt8])
        case defineCaptures(UInt64, typeName: String, [UInt8])
        case forgetCaptures(UInt64)
        case call(Call, [UInt8], captures: [UInt8]?, Running)
    }

    private let ears: Mutex<FrameReader>
    private let mouth: Mutex<RingWriter>
    private let work = Mutex(Queue<Work>())
    private let running = Mutex<[UInt64: Running]>([:])
    /// Whether the bodies' thread has work at this moment, and does not hear.
    private let isBusy = Atomic(false)
    /// Whether the poller's thread hears in its place from time to time.
    private let isAttended = Atomic(false)
    /// How many bodies were begun.
    private let begun = Atomic(0)

    /// Seconds between two times of hearing while a body runs: how late a cancellation can be noticed.
    private static let attention = 0.01

    init(_ rings: WorkerRings) {
        ears = Mutex(FrameReader(RingReader(rings.toWorker)))
        mouth = Mutex(RingWriter(rings.fromWorker))
    }

    func start() {
        let binding = try? Binding.ofCurrentThread()
        let hello = Hello(
            process: processID(), host: hostName(), buildID: BuildID.current.bytes,
            cpus: Array(binding?.cpus ?? []), memory: (binding?.memory).map { "\($0)" })
        send(.hello(hello))
        SystemThread.start(named: "muster-bodies") { [self] in
            WorkerLoop.$isInBody.withValue(true) { serve() }
            fatalError("a worker serves until it is told to stop")
        }
    }

    private func send(_ message: Message, _ body: [UInt8] = []) {
        var head = WireWriter(reserving: 64)
        message.write(to: &head)
        do throws(LinkError) {
            // SAFETY: every byte of a span of `UInt8` is initialised.
            try mouth.withLock { mouth throws(LinkError) in
                try mouth.send(head.bytes, unsafe body.span.bytes, until: .infinity)
            }
        } catch {
            // Where the link has ended, that is handled where it is noticed.
            if error.code != .closed { fail("a message could not be sent: \(error)") }
        }
    }

    private func fail(_ reason: String) -> Never {
        let text = Array("muster: worker \(Worker.id): \(reason)\n".utf8)
        unsafe platform_print(STDERR_FILENO, text, text.count)
        platform_flush_output()
        _exit(1)
    }

    // MARK: - Hearing

    /// Hears and runs, in turn; until the process ends.
    private func serve() {
        var bench = Bench()
        while true {
            ears.withLock { ears in
                // What the poller's thread has heard since this one last looked is there as well; it holds this lock then.
                if !hear(&ears), work.withLock({ $0.isEmpty }) { _ = ears.waitForBytes(until: .infinity) }
            }
            while let next = work.withLock({ $0.takeFirst() }) { perform(next, &bench) }
        }
    }

    /// Takes all that is there; returns whether there was anything.
    private func hear(_ ears: inout FrameReader) -> Bool {
        do {
            var hasNews = false
            while try ears.withNextFrame({ frame in
                do {
                    try receive(frame)
                } catch {
                    // Not a link of ours: nothing that follows can be trusted.
                    fail("the driver sent what is no message: \(error)")
                }
            }) {
                hasNews = true
            }
            if !hasNews, try ears.isAtEnd() { WorkerLoop.endGroup() }
            return hasNews
        } catch {
            fail("the driver can't be heard: \(error)")
        }
    }

    /// Sees to it that the poller's thread hears while a body runs.
    private func begin() {
        begun.add(1, ordering: .relaxed)
        // In the one order of these four: either the poller's thread sees that this one is busy, or this one that it has
        // gone.
        isBusy.store(true, ordering: .sequentiallyConsistent)
        if !isAttended.load(ordering: .sequentiallyConsistent) {
            isAttended.store(true, ordering: .sequentiallyConsistent)
            attend(after: begun.load(ordering: .relaxed))
        }
    }

    /// - Parameter known: How many bodies had been begun.
    private func attend(after known: Int) {
        Poller.links.after(seconds: WorkerSession.attention) { [self] in
            // Where the lock is taken, the bodies' thread hears itself.
            if isBusy.load(ordering: .relaxed) { _ = ears.withLockIfAvailable { hear(&$0) } }
            let count = begun.load(ordering: .relaxed)
            if isBusy.load(ordering: .relaxed) || count != known { return attend(after: count) }
            isAttended.store(false, ordering: .sequentiallyConsistent)
            if isBusy.load(ordering: .sequentiallyConsistent),
                !isAttended.exchange(true, ordering: .sequentiallyConsistent)
            {
                attend(after: count)
            }
        }
    }

    private func receive(_ frame: RawSpan) throws(WireError) {
        try Message.read(frame) { message, body throws(WireError) in try receive(message, body) }
    }

    private func receive(_ message: Message, _ body: RawSpan) throws(WireError) {
        switch message {
        case .welcome(let welcome):
            Worker.become(WorkerID(welcome.worker))
            nameProcess("\(programName.prefix(9)) w\(welcome.worker)")
            beat(every: welcome.heartbeatSeconds)
        case .defineFunction: put(.defineFunction(body.copyBytes()))
        case .defineCaptures(let id, let typeName): put(.defineCaptures(id, typeName: typeName, body.copyBytes()))
        case .forgetCaptures(let id): put(.forgetCaptures(id))
        case .call(let call): enqueue(call, body.copyBytes())
        case .callOnce(let call, let count):
            guard count >= 0, count <= body.byteCount else {
                throw WireError(code: .invalidLength, offset: 0, detail: "\(count) bytes of captures")
            }
            let captures = body.extracting(first: count).copyBytes()
            enqueue(call, body.extracting(droppingFirst: count).copyBytes(), captures: captures)
        case .cancel(let call): running.withLock { $0[call] }?.cancel()
        case .shutdown:
            platform_flush_output()
            _exit(0)
        case .hello, .reply, .refusal, .heartbeat:
            throw WireError(code: .invalidTag, offset: 0, detail: "a driver does not say that")
        }
    }

    private func enqueue(_ call: Call, _ elements: [UInt8], captures: [UInt8]? = nil) {
        let running = Running()
        self.running.withLock { $0[call.id] = running }
        put(.call(call, elements, captures: captures, running))
    }

    private func put(_ item: Work) {
        work.withLock { $0.append(item) }
    }

    private func beat(every seconds: Double) {
        Poller.links.after(seconds: seconds) { [self] in
            send(.heartbeat)
            beat(every: seconds)
        }
    }

    // MARK: - Running

    /// What the bodies' thread knows: what was defined, or why it can't be had.
    private struct Bench {
        var functions: [UInt64: Result<ResolvedFunction, WireError>] = [:]
        var captures: [UInt64: Result<CapturesInWorker, WireError>] = [:]
    }

    /// Not inlined: see what `WholeValues.swift` says of task-local values.
    @inline(never)
    private func perform(_ work: Work, _ bench: inout Bench) {
        switch work {
        case .defineFunction(let bytes):
            guard let reference = try? FunctionReference(wireBytes: bytes) else {
                fail("the driver named a body in a form of its own")
            }
            do throws(WireError) {
                bench.functions[reference.id] = .success(try ResolvedFunction(reference))
            } catch {
                bench.functions[reference.id] = .failure(error)
            }
        case .defineCaptures(let id, let typeName, let bytes):
            var reader = WireReader(bytes.span)
            do throws(WireError) {
                bench.captures[id] = .success(try CapturesInWorker(typeName: typeName, from: &reader))
            } catch {
                bench.captures[id] = .failure(error)
            }
        case .forgetCaptures(let id): bench.captures[id] = nil
        case .call(let call, let input, let captures, let running): perform(call, input, captures, running, bench)
        }
    }

    private func perform(
        _ call: Call, _ input: [UInt8], _ ownCaptures: [UInt8]?, _ running: Running, _ bench: Bench
    ) {
        let function: ResolvedFunction
        var captures: CapturesInWorker?
        do throws(WireError) {
            guard let known = bench.functions[call.function] else {
                throw WireError(code: .invalidValue, offset: 0, detail: "body \(call.function) was not defined")
            }
            function = try known.get()
            if let id = call.captures {
                guard let known = bench.captures[id] else {
                    throw WireError(code: .invalidValue, offset: 0, detail: "captures \(id) were not defined")
                }
                captures = try known.get()
            } else if let ownCaptures {
                var reader = WireReader(ownCaptures.span)
                captures = try CapturesInWorker(of: function, from: &reader)
            }
        } catch {
            return answer(call, .failure(error))
        }
        guard function.isAsynchronous else {
            do throws(WireError) {
                begin()
                defer { isBusy.store(false, ordering: .relaxed) }
                let reply = try function.run(input, captures) { running.isCancelled.load(ordering: .relaxed) }
                return answer(call, .success(reply))
            } catch {
                return answer(call, .failure(error))
            }
        }
        running.task.withLock { task in
            task = Task { [captures] in
                do throws(WireError) {
                    answer(call, .success(try await function.run(input, captures)))
                } catch {
                    answer(call, .failure(error))
                }
            }
        }
        if running.isCancelled.load(ordering: .relaxed) { running.cancel() }
    }

    private func answer(_ call: Call, _ result: Result<[UInt8], WireError>) {
        _ = running.withLock { $0.removeValue(forKey: call.id) }
        switch result {
        case .success(let reply): send(.reply(call: call.id), reply)
        case .failure(let error): send(.refusal(call: call.id, reason: "\(error)"))
        }
    }
}
