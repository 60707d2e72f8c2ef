import Placement
package import Remote
import Synchronization
package import Transport
package import Wire

/// A worker as the driver sees it: its calls under way, and what it has been told.
package final class Member: Sendable {
    package let id: WorkerID
    package let launched: any LaunchedWorker
    /// Its link, asked for once.
    private let link: any Link

    /// What is needed to send a call.
    private struct Sending: ~Copyable {
        /// Of one message after the other.
        var output = WireWriter(reserving: 1 << 12, keepingBlocksOf: EncodedCaptures.blockByteCount)
        var functions: Set<UInt64> = []
        var lastFunction: UInt64 = 0
        var captures: Set<UInt64> = []
    }

    private struct Waiting {
        var calls = CallTable()
        /// What is asked of references: nothing that the worker has to finish before it leaves.
        var asks = CallTable()
        /// Set when the worker takes no more calls.
        var failure: (any Error)?
        var whenIdle: [@Sendable () -> Void] = []
    }

    /// For those who do not keep it; ends with its calls.
    let reference = MemberReference()
    /// Taken before `waiting`, where both are.
    private let sending = Mutex(Sending())
    private let waiting = Mutex(Waiting())
    /// What the worker is part of, and this process as well.
    private let cluster: Cluster?
    /// Of the cluster that both are part of.
    private let identity: UInt64?
    /// Does what the worker asks of this process.
    private let server: CallServer?

    /// Seconds that a synchronous body may go on after it was cancelled or interrupted, before its worker is ended.
    private let graceSeconds: Double

    /// - Parameters:
    ///   - cluster: What the worker is part of; without, it refers to nothing of this process by this link.
    ///   - identity: The cluster's, where only that is given; without, nothing is referred to there.
    ///   - cancellationGrace: Time that a synchronous body may go on after it was cancelled, before its worker is ended.
    package init(
        id: WorkerID, launched: any LaunchedWorker, cluster: Cluster? = nil, identity: UInt64? = nil,
        cancellationGrace: Duration = .seconds(5)
    ) {
        self.id = id
        graceSeconds = cancellationGrace.seconds
        self.launched = launched
        link = launched.link
        self.cluster = cluster
        self.identity = cluster?.identity ?? identity
        server = cluster.map { CallServer($0, caller: id, launched.link, bodies: $0.bodies) }
        reference.set(self)
    }

    /// Calls that have not been answered.
    package var pendingCount: Int { waiting.withLock { $0.calls.count } }

    /// Whether it takes more calls: it has not ended, and is not about to leave.
    var takesCalls: Bool { waiting.withLock { $0.failure == nil } }

    // MARK: - Calls

    /// Sends a batch to the worker. The receiver is told the answer, or why there is none; also if the call was cancelled.
    ///
    /// - Parameters:
    ///   - captures: Those of the body, `nil` if it has none.
    ///   - batch: Names the call to the receiver: the elements' places in the input.
    ///   - seed: Of the random numbers that the body can draw.
    ///   - attempt: Which attempt at each of the elements it is, from 1.
    ///   - write: Writes the elements; large plain arrays in them may be kept beside the message.
    /// - Returns: The call's number, for ``cancel(_:)``.
    /// - Throws: What keeps the worker from taking calls; an error of what was written; ``LinkError`` if it can't be
    ///   sent. The receiver is told nothing then.
    @discardableResult
    package func call(
        _ function: FunctionReference, _ captures: CaptureSet?, for batch: Range<Int>, of receiver: any CallReceiver,
        seed: UInt64 = 0, attempt: Int = 1, result: CallResult = .answered, _ write: (inout WireWriter) -> Void
    ) throws -> UInt64 {
        try send(function, captures, for: batch, of: receiver) { output, number in
            let call = Call(
                id: number, function: function.id, captures: captures?.id, seed: seed, first: batch.lowerBound,
                attempt: attempt, result: result)
            Message.call(call).write(to: &output)
            write(&output)
        }
    }

    /// The same for a body whose captures are for this call alone.
    ///
    /// - Parameters:
    ///   - result: What becomes of the result. Where it stays, the answer says that it is there, or why there is none.
    ///   - write: Writes the captures, then the elements.
    @discardableResult
    package func callOnce(
        _ function: FunctionReference, result: CallResult = .answered, of receiver: any CallReceiver, seed: UInt64 = 0,
        _ write: (inout WireWriter) -> Void
    ) throws -> UInt64 {
        try send(function, nil, for: 0..<1, of: receiver) { output, number in
            Message.callOnce(Call(id: number, function: function.id, captures: nil, seed: seed, result: result))
                .write(to: &output)
            write(&output)
        }
    }

    /// Asks something of a reference to what the worker has; the answer is a ``ReferenceAnswer``.
    ///
    /// - Parameter write: Writes what is needed for it.
    @discardableResult
    package func ask(
        _ verb: ReferenceVerb, _ name: ReferenceName, of receiver: any CallReceiver,
        _ write: (inout WireWriter) -> Void = { _ in }
    ) throws -> UInt64 {
        try send(nil, nil, for: 0..<1, of: receiver) { output, number in
            Message.ask(call: number, verb: verb.rawValue, name).write(to: &output)
            write(&output)
        }
    }

    /// Tells the worker something that it does not answer, after all that it was told before.
    ///
    /// - Parameter write: Writes what is behind it.
    package func tell(_ message: Message, _ write: (inout WireWriter) -> Void) throws {
        let attachments = try sending.withLock { sending in
            defer { sending.output.removeAll() }
            sending.output.removeAll()
            message.write(to: &sending.output)
            write(&sending.output)
            try sending.output.check()
            return try post(&sending.output)
        }
        attachments.lend(to: id.rawValue)
    }

    /// Gives back a value that was taken from a channel of the worker's.
    func putBack(_ name: ReferenceName, _ value: StoredValue) throws {
        let attachments = try sending.withLock { sending in
            defer { sending.output.removeAll() }
            sending.output.removeAll()
            Message.putBack(name).write(to: &sending.output)
            sending.output.append(value)
            try sending.output.check()
            return try post(&sending.output, value.blocks)
        }
        attachments.lend(to: id.rawValue)
    }

    /// Sends what was written; returns what the worker refers to by that, to be told when no lock is held.
    private func post(
        _ output: inout WireWriter, _ blocks: [SharedArray<UInt8>]? = nil
    ) throws -> WireAttachments {
        let attachments = output.attachments
        if !attachments.isEmpty {
            guard attachments.list.allSatisfy({ ($0 as? ReferenceHandle)?.cluster.identity == identity })
            else {
                throw ClusterError(.refused, "a future or channel of another cluster can't be passed on in this one")
            }
            Message.seal(&output)
        }
        try link.send(output.bytes, blocks ?? output.blocks)
        return attachments
    }

    /// - Parameter function: The body; `nil` if none is called.
    private func send(
        _ function: FunctionReference?, _ captures: CaptureSet?, for batch: Range<Int>, of receiver: any CallReceiver,
        _ write: (inout WireWriter, UInt64) -> Void
    ) throws -> UInt64 {
        // All under the lock: whoever calls next must find the definitions sent before.
        let (number, attachments) = try sending.withLock { sending in
            // What the message had beside it is not kept until the next one.
            defer { sending.output.removeAll() }
            let number = try waiting.withLock { waiting in
                if let failure = waiting.failure { throw failure }
                let call = CallTable.Call(receiver: receiver, batch: batch)
                return function == nil ? waiting.asks.add(call) | Call.askMark : waiting.calls.add(call)
            }
            var attachments = WireAttachments()
            do {
                if let function, function.id != sending.lastFunction { try define(function, &sending) }
                let isForgotten = try captures.map { try define($0, &sending) } ?? false
                sending.output.removeAll()
                write(&sending.output, number)
                try sending.output.check()
                attachments = try post(&sending.output)
                if isForgotten, let captures { try link.send(.forgetCaptures(id: captures.id)) }
            } catch let error as LinkError where error.code == .closed {
                // The end is on its way, and fails the call with its cause.
            } catch {
                _ = take(number)
                throw error
            }
            return (number, attachments)
        }
        if !attachments.isEmpty { attachments.lend(to: id.rawValue) }
        return number
    }

    private func define(_ function: FunctionReference, _ sending: inout Sending) throws {
        if !sending.functions.contains(function.id) {
            sending.output.removeAll()
            Message.defineFunction.write(to: &sending.output)
            function.write(to: &sending.output)
            try link.send(&sending.output)
            sending.functions.insert(function.id)
        }
        sending.lastFunction = function.id
    }

    /// - Returns: Whether they were freed meanwhile: then the worker is to be told so, after the call.
    private func define(_ captures: CaptureSet, _ sending: inout Sending) throws -> Bool {
        guard !sending.captures.contains(captures.id) else { return false }
        let blocks = try captures.blocks(for: link, workerOn: launched.placement?.homeNodes ?? [])
        sending.output.removeAll()
        Message.defineCaptures(id: captures.id, typeName: captures.typeName, isApart: captures.isApart)
            .write(to: &sending.output)
        if !captures.isApart {
            let bytes = captures.message.bytes
            sending.output.append(bytes: bytes.span)
        }
        sending.output.attachments = captures.message.attachments
        let attachments = try post(&sending.output, blocks)
        // Not told later, as others are: what is told of counts takes no lock that is held here.
        attachments.lend(to: id.rawValue)
        guard captures.wasDefined(in: self) else { return true }
        sending.captures.insert(captures.id)
        return false
    }

    /// Tells the worker that nobody wants the result of a call any more.
    ///
    /// - Parameter isPatient: Whether somebody still waits for its end, however long that takes; else the worker is ended if a
    ///   synchronous body goes on for longer than the grace.
    package func cancel(_ call: UInt64, isPatient: Bool = false) {
        let isWaiting = waiting.withLock { waiting in
            call & Call.askMark == 0
                ? waiting.calls.contains(call) : waiting.asks.contains(call & ~Call.askMark)
        }
        if isWaiting { try? link.send(.cancel(call: call, graceSeconds: isPatient ? nil : graceSeconds)) }
    }

    /// Asks the bodies that the worker runs to end.
    package func interrupt() { try? link.send(.interrupt(graceSeconds: graceSeconds)) }

    /// Tells the worker that nobody wants the results of a receiver's calls any more; they are answered all the same.
    ///
    /// - Parameter isPatient: As for ``cancel(_:isPatient:)``.
    package func cancelCalls(of receiver: any CallReceiver, isPatient: Bool = false) {
        for call in waiting.withLock({ $0.calls.numbers(of: receiver) }) {
            try? link.send(.cancel(call: call, graceSeconds: isPatient ? nil : graceSeconds))
        }
    }

    /// Has another receiver told the answer to a call; false if there is one already, which its receiver is being told.
    ///
    /// May be called with a lock held that receivers take.
    package func handOver(_ call: UInt64, to receiver: any CallReceiver) -> Bool {
        waiting.withLock { $0.calls.handOver(call, to: receiver) }
    }

    /// Frees captures in the worker.
    func forget(_ captures: UInt64) {
        sending.withLock { sending in
            if sending.captures.remove(captures) != nil { try? link.send(.forgetCaptures(id: captures)) }
        }
    }

    // MARK: - What the worker says

    package func receive(_ frame: inout WireReader) {
        do throws(WireError) {
            if Message.hasNames(frame.rest) { return try receiveNamed(&frame) }
            let message: Message = try frame.read()
            try hear(message, &frame)
        } catch {
            // What follows can't be understood either.
            fail(ClusterError(.refused, "worker \(id) sent what is no message: \(error)"))
            launched.kill()
        }
    }

    @inline(never)
    private func receiveNamed(_ frame: inout WireReader) throws(WireError) {
        guard let cluster else { throw frame.invalid("references, though there is nothing to refer to") }
        let (bytes, names) = try Message.open(frame.rest)
        let blocks = frame.restOfBlocks
        // SAFETY: every byte of a span of `UInt8` is initialised.
        var input = WireReader(unsafe bytes.span.bytes, from: 0, blocks: blocks.span)
        input.attachments = try cluster.hold(names)
        let message: Message = try input.read()
        try hear(message, &input)
    }

    /// Takes a message of the worker's.
    ///
    /// - Throws: `WireError` for what a worker does not say.
    func hear(_ message: Message, _ input: inout WireReader) throws(WireError) {
        switch message {
        case .reply(let number):
            if let call = take(number) { call.receiver.receive(&input, for: call.batch, from: self) }
        case .refusal(let number, let reason):
            if let call = take(number) {
                call.receiver.fail(ClusterError.refused(by: id, reason), for: call.batch, of: self)
            }
        case .unresponsive(let seconds): launched.kill(because: .unresponsive(seconds: seconds))
        case .heartbeat, .hello: break
        case .allow(let name, let places): allow(name, places)
        case .introduce: cluster?.introduce(self)
        case .relay(let process): cluster?.relay(&input, from: self, to: WorkerID(process))
        default:
            guard try server?.hear(message, &input) == true else {
                throw WireError(code: .invalidTag, offset: 0, detail: "a worker does not say that")
            }
        }
    }

    /// The worker has places in a channel for this process, or wants those back that are not used.
    private func allow(_ name: ReferenceName, _ places: Int) {
        // Who wants them back is answered also if there are none: places may be on their way.
        giveBack(cluster?.channels.allow(name, places), of: name)
    }

    /// Gives back places in a channel of the worker's, if it waits for them.
    func giveBack(_ places: Int?, of name: ReferenceName) {
        // A worker that is gone waits for nothing.
        if let places { try? tell(.giveBack(name, places: places)) { _ in } }
    }

    private func take(_ number: UInt64) -> CallTable.Call? {
        if number & Call.askMark != 0 { return waiting.withLock { $0.asks.take(number & ~Call.askMark) } }
        let (call, whenIdle) = waiting.withLock { waiting -> (CallTable.Call?, [@Sendable () -> Void]) in
            let call = waiting.calls.take(number)
            guard waiting.calls.count == 0, !waiting.whenIdle.isEmpty else { return (call, []) }
            defer { waiting.whenIdle = [] }
            return (call, waiting.whenIdle)
        }
        for action in whenIdle { action() }
        return call
    }

    // MARK: - The end

    /// Takes no more calls, and fails those under way.
    package func fail(_ error: any Error) {
        let (calls, whenIdle) = waiting.withLock { waiting -> ([CallTable.Call], [@Sendable () -> Void]) in
            if waiting.failure == nil { waiting.failure = error }
            defer { waiting.whenIdle = [] }
            return (waiting.calls.takeAll() + waiting.asks.takeAll(), waiting.whenIdle)
        }
        reference.set(nil)
        server?.end()
        for call in calls { call.receiver.fail(error, for: call.batch, of: self) }
        for action in whenIdle { action() }
    }

    /// It is about to leave: calls under way come to their end, new ones are refused.
    func takeNoMore() {
        launched.willLeave()
        waiting.withLock { waiting in
            if waiting.failure == nil { waiting.failure = ClusterError.noSuchWorker(id) }
        }
    }

    /// Waits until all calls under way are answered; new ones are refused.
    package func drain() async {
        takeNoMore()
        await withCheckedContinuation { continuation in
            let isIdle = waiting.withLock { waiting in
                guard waiting.calls.count > 0 else { return true }
                waiting.whenIdle.append { continuation.resume() }
                return false
            }
            if isIdle { continuation.resume() }
        }
    }
}
