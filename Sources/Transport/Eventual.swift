import Synchronization

/// A value that is not there yet; given once, and then had by all who asked.
package final class Eventual<Value: Sendable>: Sendable {
    private enum State {
        case waiting([@Sendable (Value) -> Void])
        case here(Value)
    }

    private let state = Mutex(State.waiting([]))

    package init() {}

    /// The value, if it is there.
    package var value: Value? {
        state.withLock { state in
            if case .here(let value) = state { value } else { nil }
        }
    }

    /// Gives the value; only the first call counts. Returns whether it was this one.
    @discardableResult
    package func fulfil(_ value: Value) -> Bool {
        let callers = state.withLock { state -> [@Sendable (Value) -> Void]? in
            guard case .waiting(let callers) = state else { return nil }
            state = .here(value)
            return callers
        }
        for caller in callers ?? [] { caller(value) }
        return callers != nil
    }

    /// Calls `action` with the value: now if it is there, else on the thread that gives it.
    package func whenHere(_ action: @escaping @Sendable (Value) -> Void) {
        let value = state.withLock { state -> Value? in
            switch state {
            case .here(let value): return value
            case .waiting(let callers):
                state = .waiting(callers + [action])
                return nil
            }
        }
        if let value { action(value) }
    }

    /// Waits for the value. Whoever makes an `Eventual` sees to it that it is given.
    package func get() async -> Value {
        await unsafe withUnsafeContinuation { continuation in
            whenHere { unsafe continuation.resume(returning: $0) }
        }
    }
}
