import Placement
package import Remote
import Synchronization
import Transport
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
        /// Set when the worker takes no more calls.
        var failure: (any Error)?
        var whenIdle: [@Sendable () -> Void] = []
    }

    /// For those who do not keep it; ends with its calls.
    let reference = MemberReference()
    /// Taken before `waiting`, where both are.
    private let sending = Mutex(Sending())
    private let waiting = Mutex(Waiting())

    package init(id: WorkerID, launched: any LaunchedWorker) {
        self.id = id
        self.launched = launched
        link = launched.link
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
    ///   - batch: Names the call to the receiver.
    ///   - write: Writes the elements; large plain arrays in them may be kept beside the message.
    /// - Returns: The call's number, for ``cancel(_:)``.
    /// - Throws: What keeps the worker from taking calls; an error of what was written; ``LinkError`` if it can't be
    ///   sent. The receiver is told nothing then.
    @discardableResult
    package func call(
        _ function: FunctionReference, _ captures: CaptureSet?, for batch: Range<Int>, of receiver: any CallReceiver,
        _ write: (inout WireWriter) -> Void
    ) throws -> UInt64 {
        try send(function, captures, for: batch, of: receiver) { output, number in
            Message.call(Call(id: number, function: function.id, captures: captures?.id)).write(to: &output)
            write(&output)
        }
    }

    /// The same for a body whose captures are for this call alone.
    ///
    /// - Parameter write: Writes the captures, then the elements.
    @discardableResult
    package func callOnce(
        _ function: FunctionReference, of receiver: any CallReceiver, _ write: (inout WireWriter) -> Void
    ) throws -> UInt64 {
        try send(function, nil, for: 0..<1, of: receiver) { output, number in
            Message.callOnce(Call(id: number, function: function.id, captures: nil)).write(to: &output)
            write(&output)
        }
    }

    private func send(
        _ function: FunctionReference, _ captures: CaptureSet?, for batch: Range<Int>, of receiver: any CallReceiver,
        _ write: (inout WireWriter, UInt64) -> Void
    ) throws -> UInt64 {
        // All under the lock: whoever calls next must find the definitions sent before.
        try sending.withLock { sending in
            // What the message had beside it is not kept until the next one.
            defer { sending.output.removeAll() }
            let number = try waiting.withLock { waiting in
                if let failure = waiting.failure { throw failure }
                return waiting.calls.add(CallTable.Call(receiver: receiver, batch: batch))
            }
            do {
                if function.id != sending.lastFunction { try define(function, &sending) }
                let isForgotten = try captures.map { try define($0, &sending) } ?? false
                sending.output.removeAll()
                write(&sending.output, number)
                try sending.output.check()
                try link.send(&sending.output)
                if isForgotten, let captures { try link.send(.forgetCaptures(id: captures.id)) }
            } catch let error as LinkError where error.code == .closed {
                // The end is on its way, and fails the call with its cause.
            } catch {
                _ = take(number)
                throw error
            }
            return number
        }
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
        try link.send(sending.output.bytes, blocks)
        guard captures.wasDefined(in: self) else { return true }
        sending.captures.insert(captures.id)
        return false
    }

    /// Tells the worker that nobody waits for a call any more.
    package func cancel(_ call: UInt64) {
        let isWaiting = waiting.withLock { $0.calls.contains(call) }
        if isWaiting { try? link.send(.cancel(call: call)) }
    }

    /// Tells the worker that nobody waits for the calls of a receiver any more; they are answered all the same.
    package func cancelCalls(of receiver: any CallReceiver) {
        for call in waiting.withLock({ $0.calls.numbers(of: receiver) }) {
            try? link.send(.cancel(call: call))
        }
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
            let message: Message = try frame.read()
            switch message {
            case .reply(let number):
                if let call = take(number) { call.receiver.receive(&frame, for: call.batch, from: self) }
            case .refusal(let number, let reason):
                if let call = take(number) {
                    call.receiver.fail(ClusterError.refused(by: id, reason), for: call.batch, of: self)
                }
            case .heartbeat, .hello: break
            default: throw WireError(code: .invalidTag, offset: 0, detail: "a worker does not say that")
            }
        } catch {
            // What follows can't be understood either.
            fail(ClusterError(.refused, "worker \(id) sent what is no message: \(error)"))
            launched.kill()
        }
    }

    private func take(_ number: UInt64) -> CallTable.Call? {
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
            return (waiting.calls.takeAll(), waiting.whenIdle)
        }
        reference.set(nil)
        for call in calls { call.receiver.fail(error, for: call.batch, of: self) }
        for action in whenIdle { action() }
    }

    /// Waits until all calls under way are answered; new ones are refused.
    package func drain() async {
        launched.willLeave()
        await withCheckedContinuation { continuation in
            let isIdle = waiting.withLock { waiting in
                if waiting.failure == nil { waiting.failure = ClusterError.noSuchWorker(id) }
                guard waiting.calls.count > 0 else { return true }
                waiting.whenIdle.append { continuation.resume() }
                return false
            }
            if isIdle { continuation.resume() }
        }
    }
}
