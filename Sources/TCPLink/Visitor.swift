import NIOCore
import Synchronization

/// A connection that has come and not proven itself yet, and what it would be refused for now.
final class Visitor: Sendable {
    private struct State {
        var refusal = Refusal.silent
        var launch: LaunchKeys.Launch?
        var isDecided = false
    }

    /// Tells it from the others.
    let number: UInt64
    /// Where it came from, as the limits see it.
    let source: String
    /// The same for people.
    let address: String
    let channel: any Channel
    private let state = Mutex(State())

    init(_ number: UInt64, _ channel: any Channel) {
        self.number = number
        self.channel = channel
        source = channel.remoteAddress?.source ?? "unknown"
        address = channel.remoteAddress?.ipAddress ?? "an unknown address"
    }

    /// What it would be counted as, if it went away now.
    var refusal: Refusal { state.withLock { $0.refusal } }

    /// The launch that it named.
    var launch: LaunchKeys.Launch? { state.withLock { $0.launch } }

    /// It got further: from now on it would be refused for this.
    func got(to refusal: Refusal) {
        state.withLock { if !$0.isDecided { $0.refusal = refusal } }
    }

    /// It named a launch, whose key it has to show now.
    func named(_ launch: LaunchKeys.Launch) {
        state.withLock { state in
            state.launch = launch
            if !state.isDecided { state.refusal = .wrongKey }
        }
    }

    /// It is refused for this, whatever happens now.
    func refuse(_ refusal: Refusal) {
        state.withLock { state in
            if !state.isDecided { state.refusal = refusal }
            state.isDecided = true
        }
    }
}
