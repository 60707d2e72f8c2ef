import SharedMemoryLink
import Synchronization
import Transport

/// A link that this worker wants to another, until it is there or there will be none.
final class NeighbourWish: Sendable {
    /// What becomes of it.
    enum Outcome: Sendable {
        case linked(RingLink)
        /// Too much is going on at the moment, in words.
        case notNow(String)
        case failed(LinkError)
    }

    private struct State: ~Copyable {
        var socket: Descriptor?
        var token: Poller.Token?
    }

    private let outcome = Eventual<Outcome>()
    private let rings: WorkerRings
    private let state = Mutex(State())

    /// - Parameter rings: Those that are offered to the other.
    init(_ rings: WorkerRings) {
        self.rings = rings
    }

    /// Waits for the outcome. Whoever does sees to it that there is one, by ``end(_:)``.
    func get() async -> Outcome { await outcome.get() }

    /// Hears what the other answers.
    ///
    /// - Parameter socket: This side's end of the link's; nobody here has the other end any more, so that it tells of the
    ///   other worker's end.
    func listen(owning socket: consuming Descriptor) {
        var socket: Descriptor? = .some(consume socket)
        let error = state.withLock { state -> SystemError? in
            // Refused already, perhaps.
            guard outcome.value == nil, let number = socket?.number else { return nil }
            state.socket = socket.take()
            do throws(SystemError) {
                state.token = try Poller.links.watch(number, for: .readable) { [self] _ in hear() }
                return nil
            } catch {
                return error
            }
        }
        if let error { end(.failed(LinkError(code: .broken, "\(error)"))) }
    }

    /// There is an outcome; of several the first counts.
    func end(_ result: Outcome) {
        // In this order: who listens after this sees it.
        outcome.fulfil(result)
        state.withLock { _ = NeighbourWish.takeSocket(&$0) }
    }

    private static func takeSocket(_ state: inout State) -> Descriptor? {
        if let token = state.token.take(), let number = state.socket?.number { Poller.links.remove(token, number) }
        return state.socket.take()
    }

    private func hear() {
        let result = state.withLock { state -> Outcome? in
            guard let number = state.socket?.number else { return nil }
            do throws(SystemError) {
                switch try SocketMessage.receive(from: number) {
                case .nothing: return nil
                case .ended: return .failed(LinkError(code: .closed, "it ended before it answered"))
                case .message(let answer):
                    guard let socket = NeighbourWish.takeSocket(&state) else { return nil }
                    return NeighbourWish.outcome(of: answer, rings, owning: socket)
                }
            } catch {
                return .failed(LinkError(code: .broken, "\(error)"))
            }
        }
        if let result { end(result) }
    }

    private static func outcome(
        of answer: consuming SocketMessage, _ rings: WorkerRings, owning socket: consuming Descriptor
    ) -> Outcome {
        do throws(LinkError) {
            return .linked(try NeighbourAnswer.link(from: answer, rings, owning: socket))
        } catch {
            return .failed(error)
        }
    }
}
