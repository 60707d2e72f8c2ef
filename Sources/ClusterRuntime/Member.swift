package import Remote
import Synchronization
import Transport
import Wire

/// A worker as the driver sees it: its calls under way, and what it has been told.
package final class Member: Sendable {
    package let id: WorkerID
    package let launched: any LaunchedWorker

    private struct Pending {
        let onReply: @Sendable (RawSpan) -> Void
        let onFailure: @Sendable (any Error) -> Void
    }

    private struct State {
        var pending: [UInt64: Pending] = [:]
        var nextCall: UInt64 = 1
        var functions: Set<UInt64> = []
        var captures: Set<UInt64> = []
        /// Set when the worker takes no more calls.
        var failure: (any Error)?
        var whenIdle: [@Sendable () -> Void] = []
    }

    private let state = Mutex(State())

    package init(id: WorkerID, launched: any LaunchedWorker) {
        self.id = id
        self.launched = launched
    }

    /// Calls that have not been answered.
    package var pendingCount: Int { state.withLock { $0.pending.count } }

    // MARK: - Calls

    /// Sends a batch to the worker.
    ///
    /// Exactly one of the two closures is called, once, on the link's thread or, if the call can't be sent, on this
    /// one. A call that was cancelled may still be answered.
    ///
    /// - Parameters:
    ///   - once: Captures of this call alone, instead of `captures`; they go along with the elements.
    ///   - onReply: Takes the bytes of a `BatchReply`.
    ///   - onFailure: Takes a ``WorkerExited`` or a ``ClusterError``.
    /// - Returns: The call's number, for ``cancel(_:)``; `nil` if it could not be sent.
    @discardableResult
    package func call(
        _ function: FunctionReference, _ captures: CaptureSet?, _ elements: [UInt8], once: EncodedCaptures? = nil,
        onReply: @escaping @Sendable (RawSpan) -> Void, onFailure: @escaping @Sendable (any Error) -> Void
    ) -> UInt64? {
        let result = state.withLock { state -> Result<UInt64, any Error> in
            if let failure = state.failure { return .failure(failure) }
            let call = state.nextCall
            state.nextCall += 1
            state.pending[call] = Pending(onReply: onReply, onFailure: onFailure)
            var isForgotten = false
            // Sent under the lock: whoever calls next must find the definitions sent before.
            do {
                if !state.functions.contains(function.id) {
                    try launched.link.send(.defineFunction, function.wireBytes())
                    state.functions.insert(function.id)
                }
                if let captures, !state.captures.contains(captures.id) {
                    let message = Message.defineCaptures(id: captures.id, typeName: captures.encoded.typeName)
                    try launched.link.send(message, captures.encoded.bytes)
                    if captures.wasDefined(in: self) { state.captures.insert(captures.id) } else { isForgotten = true }
                }
                let message = Call(id: call, function: function.id, captures: captures?.id)
                if let once {
                    try launched.link.send(
                        .callOnce(message, captureByteCount: once.bytes.count), once.bytes + elements)
                } else {
                    try launched.link.send(.call(message), elements)
                }
                if isForgotten, let captures { try launched.link.send(.forgetCaptures(id: captures.id)) }
                return .success(call)
            } catch let error as LinkError where error.code == .closed {
                return .success(call)  // the end is on its way, and fails the call with its cause
            } catch {
                state.pending[call] = nil
                return .failure(error)
            }
        }
        switch result {
        case .success(let call): return call
        case .failure(let error):
            onFailure(error)
            return nil
        }
    }

    /// Tells the worker that nobody waits for a call any more.
    package func cancel(_ call: UInt64) {
        let isPending = state.withLock { $0.pending[call] != nil }
        if isPending { try? launched.link.send(.cancel(call: call)) }
    }

    /// Frees captures in the worker.
    func forget(_ captures: UInt64) {
        state.withLock { state in
            if state.captures.remove(captures) != nil { try? launched.link.send(.forgetCaptures(id: captures)) }
        }
    }

    // MARK: - What the worker says

    package func receive(_ frame: RawSpan) {
        do {
            try Message.read(frame) { message, body throws(WireError) in
                switch message {
                case .reply(let call): take(call)?.onReply(body)
                case .refusal(let call, let reason): take(call)?.onFailure(ClusterError.refused(by: id, reason))
                case .heartbeat, .hello: break
                default: throw WireError(code: .invalidTag, offset: 0, detail: "a worker does not say that")
                }
            }
        } catch {
            // What follows can't be understood either.
            fail(ClusterError(.refused, "worker \(id) sent what is no message: \(error)"))
            launched.kill()
        }
    }

    private func take(_ call: UInt64) -> Pending? {
        let (pending, whenIdle) = state.withLock { state -> (Pending?, [@Sendable () -> Void]) in
            let pending = state.pending.removeValue(forKey: call)
            guard state.pending.isEmpty else { return (pending, []) }
            defer { state.whenIdle = [] }
            return (pending, state.whenIdle)
        }
        for action in whenIdle { action() }
        return pending
    }

    // MARK: - The end

    /// Takes no more calls, and fails those under way.
    package func fail(_ error: any Error) {
        let (pending, whenIdle) = state.withLock { state -> ([Pending], [@Sendable () -> Void]) in
            if state.failure == nil { state.failure = error }
            defer {
                state.pending = [:]
                state.whenIdle = []
            }
            return (Array(state.pending.values), state.whenIdle)
        }
        for call in pending { call.onFailure(error) }
        for action in whenIdle { action() }
    }

    /// Waits until all calls under way are answered; new ones are refused.
    package func drain() async {
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state in
                if state.failure == nil { state.failure = ClusterError.noSuchWorker(id) }
                guard !state.pending.isEmpty else { return true }
                state.whenIdle.append { continuation.resume() }
                return false
            }
            if isIdle { continuation.resume() }
        }
    }
}
