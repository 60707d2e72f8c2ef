import CPlatform
import Glibc
import Machine
import Placement
import Remote
import SharedMemoryLink
import Synchronization
import Transport
import Wire

/// The worker's side of its link.
final class WorkerSession: Sendable {
    /// A message to be dealt with by the bodies' thread: its bytes, where what follows the head starts, and its blocks.
    private final class HeardMessage: Sendable {
        let message: Message
        let bytes: [UInt8]
        let offset: Int
        let blocks: [SharedArray<UInt8>]
        let attachments: WireAttachments

        init(
            _ message: Message, _ bytes: [UInt8], from offset: Int, _ blocks: [SharedArray<UInt8>],
            _ attachments: WireAttachments
        ) {
            self.message = message
            self.bytes = bytes
            self.offset = offset
            self.blocks = blocks
            self.attachments = attachments
        }
    }

    /// What the bodies' thread has to do.
    private enum Work {
        case message(HeardMessage)
        case job(@Sendable () -> Void)
    }

    /// The calls that run or wait to. They begin in the order of their numbers.
    private struct Calls {
        /// The last that began.
        var begun: UInt64 = 0
        /// The last of a synchronous body that began; 0 if a job has begun since.
        var current: UInt64 = 0
        /// Calls that are not wanted any more, of those that have not begun.
        var unwanted: Set<UInt64> = []
        /// Asynchronous bodies that run.
        var tasks: [UInt64: Task<Void, Never>] = [:]

        /// Notes that a call begins; returns whether it is wanted.
        mutating func begin(_ call: UInt64) -> Bool {
            begun = call
            return unwanted.isEmpty || unwanted.remove(call) == nil
        }
    }

    private let ears: Mutex<FrameReader>
    private let mouth: Mutex<RingWriter>
    let segments: SegmentExchange
    /// The links to other workers of this host.
    let neighbours: WorkerNeighbours
    private let membership: any WorkerMembership
    /// What the driver is heard by, to end the bodies' thread's wait there.
    private let driversRing: Ring
    private let work = Mutex(Queue<Work>())
    private let calls = Mutex(Calls())
    /// The synchronous body that runs, one after the other.
    private let body = RunningBody()
    /// Whether the bodies' thread has work at this moment, and does not hear.
    private let isBusy = Atomic(false)
    /// Whether the poller's thread hears in its place from time to time.
    private let isAttended = Atomic(false)
    /// How many bodies were begun.
    private let begun = Atomic(0)
    /// The last of those that has ended, and is answered, by its number among those that were begun.
    private let answered = Atomic(0)

    /// Seconds between two times of hearing while a body runs: how late a cancellation can be noticed.
    private static let attention = 0.01

    init(
        _ rings: WorkerRings, _ segments: SegmentExchange, _ neighbours: WorkerNeighbours,
        _ membership: any WorkerMembership
    ) {
        self.segments = segments
        self.neighbours = neighbours
        self.membership = membership
        driversRing = rings.toWorker
        ears = Mutex(FrameReader(RingReader(rings.toWorker)))
        mouth = Mutex(RingWriter(rings.fromWorker))
    }

    func start() {
        let binding = try? Binding.ofCurrentThread()
        let hello = Hello(
            process: processID(), host: hostName(), buildID: BuildID.current.bytes,
            cpus: Array(binding?.cpus ?? []), memory: (binding?.memory).map { "\($0)" })
        send(.hello(hello))
        segments.whenReleased { [self] in
            let releases = segments.takeReleases()
            // SAFETY: every byte of a span of `UInt8` is initialised.
            if !releases.isEmpty { send(.releases, RawSpan(), unsafe releases.span.bytes) }
        }
        SystemThread.start(named: "muster-bodies") { [self] in
            WorkerLoop.$isInBody.withValue(true) { serve() }
            fatalError("a worker serves until it is told to stop")
        }
    }

    /// Runs a job on the thread of synchronous bodies, after what that has to do already. Returns at once.
    ///
    /// Where a body on that thread calls this, the job runs after it.
    func perform(_ job: @escaping @Sendable () -> Void) {
        work.withLock { $0.append(.job(job)) }
        driversRing.interruptReader()
    }

    private func send(_ message: Message) {
        var output = WireWriter(reserving: 64)
        message.write(to: &output)
        send(.message, RawSpan(), output.bytes)
    }

    private func send(_ kind: FrameKind, _ head: RawSpan, _ body: RawSpan) {
        do throws(LinkError) {
            try mouth.withLock { mouth throws(LinkError) in
                try mouth.send(head, body, kind: kind, until: .infinity)
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
            let isCall = ears.withLock { ears in
                // What the poller's thread has heard while this one did not comes first; it holds this lock then.
                work.withLock { $0.isEmpty } && hearNext(&ears, &bench)
            }
            if isCall { performOnBench(&bench) }
            while let next = work.withLock({ $0.takeFirst() }) {
                switch next {
                case .message(let message): perform(message, &bench)
                case .job(let job):
                    run(job)
                    // However many jobs there are, what the driver said meanwhile gets in line with them.
                    _ = ears.withLock { hear(&$0) }
                }
            }
        }
    }

    private func run(_ job: @Sendable () -> Void) {
        // A cancellation that comes too late for the call before is not meant for this.
        calls.withLock { $0.current = 0 }
        begin()
        defer { isBusy.store(false, ordering: .relaxed) }
        job()
    }

    /// Takes what is there next, or waits until something is; returns whether it is a call, which is on the bench then.
    private func hearNext(_ ears: inout FrameReader, _ bench: inout Bench) -> Bool {
        do {
            var isCall = false
            let isThere = try ears.withNextFrame { frame, kind in
                isCall = kind == .message && Bench.takeCall(frame, &bench)
                if !isCall { receive(frame, kind) }
            }
            if isThere { return isCall }
            if try ears.isAtEnd() { WorkerLoop.endGroup() }
            _ = ears.waitForBytes(until: .infinity)
            return false
        } catch {
            fail("the driver can't be heard: \(error)")
        }
    }

    /// Takes all that is there; returns whether there was anything.
    private func hear(_ ears: inout FrameReader) -> Bool {
        do {
            var hasNews = false
            while try ears.withNextFrame({ frame, kind in receive(frame, kind) }) { hasNews = true }
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

    private func receive(_ frame: RawSpan, _ kind: FrameKind) {
        do {
            if kind == .message { return try receive(frame, []) }
            var failure: WireError?
            try segments.open(frame, kind) { message, blocks in
                do throws(WireError) { try receive(message, blocks) } catch { failure = error }
            }
            if let failure { throw failure }
        } catch {
            // Not a link of ours: nothing that follows can be trusted.
            fail("the driver sent what is no message: \(error)")
        }
    }

    private func receive(_ frame: RawSpan, _ blocks: [SharedArray<UInt8>]) throws(WireError) {
        guard !Message.hasNames(frame) else { return try receiveNamed(frame, blocks) }
        try receive(frame, blocks, WireAttachments())
    }

    @inline(never)
    private func receiveNamed(_ frame: RawSpan, _ blocks: [SharedArray<UInt8>]) throws(WireError) {
        let (bytes, names) = try Message.open(frame)
        // SAFETY: every byte of a span of `UInt8` is initialised.
        try receive(unsafe bytes.span.bytes, blocks, membership.hold(names))
    }

    private func receive(
        _ frame: RawSpan, _ blocks: [SharedArray<UInt8>], _ attachments: WireAttachments
    ) throws(WireError) {
        var reader = WireReader(frame)
        let message: Message = try reader.read()
        switch message {
        case .welcome(let welcome):
            Worker.become(WorkerID(welcome.worker))
            nameProcess("\(programName.prefix(9)) w\(welcome.worker)")
            beat(every: welcome.heartbeatSeconds)
        case .belong(let cluster, let worker):
            membership.belong(to: cluster, as: worker, driver: DriverLink(self)) { [self] work in perform(work) }
        // What counts references is not to overtake the calls that they are made by.
        case .defineFunction, .defineCaptures, .forgetCaptures, .call, .callOnce, .counts:
            let item = HeardMessage(message, frame.copyBytes(), from: reader.offset, blocks, attachments)
            work.withLock { $0.append(.message(item)) }
        case .cancel(let call, let grace) where call & Call.askMark == 0: cancel(call, grace)
        case .interrupt(let grace): interrupt(grace, others: membership.interrupt())
        case .shutdown:
            platform_flush_output()
            _exit(0)
        case .hello, .heartbeat, .unresponsive:
            throw WireError(code: .invalidTag, offset: 0, detail: "a driver does not say that")
        default: try hearRest(frame, blocks, attachments)
        }
    }

    /// What is not for who runs the driver's bodies.
    @inline(never)
    private func hearRest(
        _ frame: RawSpan, _ blocks: [SharedArray<UInt8>], _ attachments: WireAttachments
    ) throws(WireError) {
        let blocks = blocks
        var reader = WireReader(frame, from: 0, blocks: blocks.span)
        reader.attachments = attachments
        try membership.hear(&reader)
    }

    private func cancel(_ call: UInt64, _ grace: Double?) {
        let isRunning = calls.withLock { calls in
            if call == calls.current {
                body.isUnwanted = true
                return isBusy.load(ordering: .relaxed)
            }
            if let task = calls.tasks[call] {
                task.cancel()
            } else if call > calls.begun {
                calls.unwanted.insert(call)
            }
            return false
        }
        if isRunning, let grace { watchBody(for: grace) { [self] in body.isUnwanted } }
    }

    /// What the bodies that run come to is not wanted; calls that wait are.
    ///
    /// - Parameter others: For bodies that other workers have called, whether they are still at the same element.
    private func interrupt(_ grace: Double, others: [@Sendable () -> Bool]) {
        let (tasks, current) = calls.withLock { (Array($0.tasks.values), $0.current) }
        for task in tasks { task.cancel() }
        guard isBusy.load(ordering: .relaxed) else { return }
        guard current != 0 else {
            // What runs is a job.
            guard !others.isEmpty else { return }
            return watchBody(for: grace) { others.contains { $0() } }
        }
        body.interrupt()
        let element = body.begunCount
        watchBody(for: grace) { [self] in body.begunCount == element }
    }

    /// Tells the driver if the call that runs is there still when its time is over: it holds up all others.
    ///
    /// Asynchronous bodies hold nobody up, and are left to themselves.
    ///
    /// - Parameter isMeant: Whether the call is still at what it was to end.
    private func watchBody(for grace: Double, _ isMeant: @escaping @Sendable () -> Bool) {
        let number = begun.load(ordering: .relaxed)
        Poller.links.after(seconds: grace) { [self] in
            guard isBusy.load(ordering: .relaxed), begun.load(ordering: .relaxed) == number,
                answered.load(ordering: .relaxed) != number, isMeant()
            else { return }
            send(.unresponsive(graceSeconds: grace))
        }
    }

    private func beat(every seconds: Double) {
        Poller.links.after(seconds: seconds) { [self] in
            send(.heartbeat)
            beat(every: seconds)
        }
    }

    // MARK: - Running

    /// What the bodies' thread works with.
    private struct Bench: ~Copyable {
        var known = KnownBodies()
        /// One message after the other, and where what follows its head starts.
        var input: [UInt8] = []
        var offset = 0
        /// The call in it, and whether its captures are there too.
        var call = Call(id: 0, function: 0, captures: nil)
        var hasOwnCaptures = false
        /// One answer after the other.
        var output = WireWriter(reserving: 1 << 12, keepingBlocksOf: EncodedCaptures.blockByteCount)

        init() { output.maker = SharedBlocks() }

        /// Takes in a message that is a call; false if it is another.
        static func takeCall(_ frame: RawSpan, _ bench: inout Bench) -> Bool {
            var reader = WireReader(frame)
            guard let message = try? reader.read() as Message else { return false }
            switch message {
            case .call(let call): (bench.call, bench.hasOwnCaptures) = (call, false)
            case .callOnce(let call): (bench.call, bench.hasOwnCaptures) = (call, true)
            default: return false
            }
            bench.offset = reader.offset
            // A large one leaves no large memory behind.
            bench.input.removeAll(keepingCapacity: bench.input.capacity <= 1 << 18)
            unsafe frame.withUnsafeBytes { unsafe bench.input.append(contentsOf: $0) }
            return true
        }
    }

    /// Performs the call on the bench. Not inlined: see what `WholeValues.swift` says of task-local values.
    @inline(never)
    private func performOnBench(_ bench: inout Bench) {
        let (call, input) = (bench.call, bench.input)
        bench.input = []
        // SAFETY: every byte of a span of `UInt8` is initialised.
        var reader = WireReader(unsafe input.span.bytes, from: bench.offset, blocks: Span())
        tell(call) { () throws(WireError) in
            let own =
                bench.hasOwnCaptures
                ? try CapturesInWorker(of: bench.known.function(call.function), from: &reader) : nil
            try perform(call, &reader, own, (input, [], WireAttachments()), &bench)
        }
        bench.input = input
    }

    /// Sees to it that a call that can't be performed is answered as well.
    private func tell(_ call: Call, _ perform: () throws(WireError) -> Void) {
        do throws(WireError) {
            try perform()
        } catch {
            refuse(call, "\(error)")
        }
    }

    private func refuse(_ call: Call, _ reason: String) {
        if case .kept(let name) = call.result {
            membership.references?.lose(name, ReferenceError(.refused, "the body could not be run: \(reason)"))
        }
        send(.refusal(call: call.id, reason: reason))
    }

    private func perform(_ work: HeardMessage, _ bench: inout Bench) {
        switch work.message {
        case .call(let call), .callOnce(let call):
            tell(call) { () throws(WireError) in try perform(call, work, &bench) }
        case .forgetCaptures(let id): bench.known.forgetCaptures(id)
        case .counts:
            do { try hear(work) } catch { fail("the driver sent what is no message: \(error)") }
        default:
            do {
                try define(work, &bench.known)
            } catch {
                fail("the driver named a body in a form of its own: \(error)")
            }
        }
    }

    private func hear(_ work: HeardMessage) throws(WireError) {
        let bytes = work.bytes
        // SAFETY: every byte of a span of `UInt8` is initialised.
        try hearRest(unsafe bytes.span.bytes, work.blocks, work.attachments)
    }

    /// Not inlined: see what `WholeValues.swift` says of task-local values.
    @inline(never)
    private func define(_ work: HeardMessage, _ known: inout KnownBodies) throws(WireError) {
        // Arrays of numbers in captures stay where the driver has put them, for all workers of the host.
        let arrays = AdoptedArrays()
        let (bytes, blocks) = (work.bytes, work.blocks)
        // SAFETY: every byte of a span of `UInt8` is initialised.
        var reader = WireReader(unsafe bytes.span.bytes, from: work.offset, blocks: blocks.span, adopting: arrays)
        switch work.message {
        case .defineFunction: try known.defineFunction(from: &reader)
        case .defineCaptures(let id, let typeName, isApart: false):
            known.defineCaptures(id, typeName: typeName, from: &reader, adopting: arrays)
        case .defineCaptures(let id, let typeName, isApart: true):
            try known.defineCaptures(id, typeName: typeName, apartIn: blocks, adopting: arrays)
        default: preconditionFailure("a message for another thread")
        }
    }

    /// Not inlined, as above.
    @inline(never)
    private func perform(_ call: Call, _ work: HeardMessage, _ bench: inout Bench) throws(WireError) {
        let (bytes, blocks) = (work.bytes, work.blocks)
        guard blocks.isEmpty else {
            let arrays = AdoptedArrays()
            // SAFETY: every byte of a span of `UInt8` is initialised.
            var reader = WireReader(
                unsafe bytes.span.bytes, from: work.offset, blocks: blocks.span, adopting: arrays)
            return try perform(call, work, &reader, arrays, &bench)
        }
        // SAFETY: as above.
        var reader = WireReader(unsafe bytes.span.bytes, from: work.offset, blocks: Span())
        try perform(call, work, &reader, nil, &bench)
    }

    private func perform(
        _ call: Call, _ work: HeardMessage, _ reader: inout WireReader, _ arrays: AdoptedArrays?, _ bench: inout Bench
    ) throws(WireError) {
        var own: CapturesInWorker?
        if case .callOnce = work.message {
            own = try CapturesInWorker(of: bench.known.function(call.function), from: &reader, adopting: arrays)
        }
        try perform(call, &reader, own, (work.bytes, work.blocks, work.attachments), &bench)
    }

    /// - Parameters:
    ///   - own: Captures of this call alone.
    ///   - message: What `reader` reads, to be kept by an asynchronous body.
    private func perform(
        _ call: Call, _ reader: inout WireReader, _ own: CapturesInWorker?,
        _ message: (bytes: [UInt8], blocks: [SharedArray<UInt8>], attachments: WireAttachments), _ bench: inout Bench
    ) throws(WireError) {
        if case .kept(let name) = call.result { membership.references?.expect(name) }
        let function = try bench.known.function(call.function)
        let captures = if let own { own } else { try bench.known.captures(call.captures) }
        if function.isAsynchronous {
            let input = BatchInput(
                message.bytes, from: reader.offset, blocks: Array(message.blocks.dropFirst(reader.blockOffset)),
                attachments: message.attachments)
            return start(call, function, captures, input)
        }
        body.begin(seed: call.seed, first: call.first, attempt: call.attempt)
        calls.withLock { calls in
            calls.current = call.id
            body.isUnwanted = !calls.begin(call.id)
        }
        begin()
        defer { isBusy.store(false, ordering: .relaxed) }
        bench.output.removeAll()
        if call.result == .answered { Message.reply(call: call.id).write(to: &bench.output) }
        // What the answer has beside it is not kept until the next one.
        defer { bench.output.removeAll() }
        try function.run(captures, &reader, &bench.output, as: body) { body.isUnwanted }
        // A driver may take its time to hear the answer: nothing that the body could be ended for.
        answered.store(begun.load(ordering: .relaxed), ordering: .relaxed)
        try answer(call, &bench.output)
    }

    private func start(_ call: Call, _ function: ResolvedFunction, _ captures: CapturesInWorker, _ input: BatchInput) {
        let body = RunningBody(seed: call.seed, first: call.first, attempt: call.attempt)
        calls.withLock { calls in
            let isWanted = calls.begin(call.id)
            let task = Task {
                do throws(WireError) {
                    var output = WireWriter(reserving: 256, keepingBlocksOf: EncodedCaptures.blockByteCount)
                    if call.result == .answered { Message.reply(call: call.id).write(to: &output) }
                    try await function.run(captures, input, &output, as: body)
                    try answer(call, &output)
                } catch {
                    refuse(call, "\(error)")
                }
                self.calls.withLock { _ = $0.tasks.removeValue(forKey: call.id) }
            }
            calls.tasks[call.id] = task
            if !isWanted { task.cancel() }
        }
    }

    /// Sends what was written, or keeps it and says so.
    private func answer(_ call: Call, _ output: inout WireWriter) throws(WireError) {
        try output.check()
        guard call.result == .answered else { return keep(call, &output) }
        let attachments = output.attachments
        if !attachments.isEmpty { Message.seal(&output) }
        let blocks = output.blocks
        if blocks.isEmpty {
            send(.message, RawSpan(), output.bytes)
        } else {
            do throws(LinkError) {
                try send(output.bytes, blocks)
            } catch {
                throw WireError(code: .notEncodable, offset: 0, detail: "\(error)")
            }
        }
        if !attachments.isEmpty { attachments.lend(to: WorkerID.driver.rawValue) }
    }

    /// The result stays here, or nobody wants it.
    private func keep(_ call: Call, _ output: inout WireWriter) {
        let value = StoredValue(output.bytes.copyBytes(), blocks: output.blocks, attachments: output.attachments)
        let failure = value.failure
        if case .kept(let name) = call.result { membership.references?.fulfil(name, value) }
        if call.result == .dropped, let failure { membership.tell(failure) }
        var reply = WireWriter(reserving: 64)
        Message.reply(call: call.id).write(to: &reply)
        // That the body threw is all that the caller has to know yet.
        if failure != nil { reply.write(true) }
        send(.message, RawSpan(), reply.bytes)
    }

    /// Sends a frame to the driver.
    func send(_ bytes: RawSpan, _ blocks: [SharedArray<UInt8>]) throws(LinkError) {
        guard !blocks.isEmpty else { return send(.message, RawSpan(), bytes) }
        let table = try segments.name(blocks)
        // SAFETY: every byte of a span of `UInt8` is initialised.
        send(.messageWithBlocks, unsafe table.span.bytes, bytes)
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
