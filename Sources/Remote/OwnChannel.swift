import Synchronization
package import Wire

/// A channel of a user's own kind, as the table of its process has it.
final class OwnChannel<Channel: AbstractChannel>: ServedChannel {
    private struct State {
        /// Of those who wait.
        var tasks: [ReferenceAsker: Task<Void, Never>] = [:]
        var isEnded = false
    }

    let channel: Channel
    private let state = Mutex(State())

    init(_ channel: Channel) { self.channel = channel }

    func serve(_ verb: ReferenceVerb, _ payload: StoredValue, limit: Int, for asker: ReferenceAsker) {
        let isEnded = state.withLock { state in
            guard !state.isEnded else { return true }
            state.tasks[asker] = Task {
                let answer = await self.answer(verb, payload)
                let isWanted = self.state.withLock { $0.tasks.removeValue(forKey: asker) != nil }
                if isWanted { return asker.tell(answer) }
                // Taken all the same by who was cancelled, or is gone: nobody else would have it.
                if verb == .takeChannel, case .values(let values) = answer { for value in values { putBack(value) } }
            }
            return false
        }
        if isEnded { asker.tell(.failed(.closed)) }
    }

    private func answer(_ verb: ReferenceVerb, _ payload: StoredValue) async -> ReferenceAnswer {
        do {
            switch verb {
            case .putChannel: try await put(payload)
            case .takeChannel: return .values([try StoredValue(try await channel.take())])
            case .fetchChannel: return .values([try StoredValue(try await channel.fetch())])
            case .waitChannel: _ = try await channel.fetch()
            case .isChannelReady: return .flag(try await channel.isReady)
            default: try await channel.close()
            }
            return .done
        } catch let error as ReferenceError {
            return .failed(error)
        } catch {
            return .failed(ReferenceError(.refused, "\(error)"))
        }
    }

    private func put(_ payload: StoredValue) async throws {
        let value: Channel.Element?
        do {
            (value, _) = try payload.input.readOne()
        } catch {
            throw ReferenceError(.unknown, "what was put is no \(Channel.Element.self): \(error)")
        }
        guard let value else { throw ReferenceError(.refused, "nothing was put") }
        try await channel.put(value)
    }

    /// Nobody is allowed anything in advance; what comes so all the same is put.
    func putAllowed(_ value: StoredValue, from process: Int) { putBack(value) }
    func giveBack(_ places: Int, from process: Int) {}
    func putBack(_ value: StoredValue) { Task { try? await put(value) } }

    func cancel(_ asker: ReferenceAsker) {
        let task = state.withLock { $0.tasks.removeValue(forKey: asker) }
        task?.cancel()
        if task != nil { asker.tell(.failed(.cancelled)) }
    }

    /// Whoever waits goes on waiting.
    func leave(_ process: Int) {}

    func forget(_ process: Int) {
        let tasks = state.withLock { state in
            let gone = state.tasks.filter { $0.key.process == process }
            for asker in gone.keys { state.tasks[asker] = nil }
            return Array(gone.values)
        }
        for task in tasks { task.cancel() }
    }

    func end(_ error: ReferenceError) {
        let tasks = state.withLock { state in
            state.isEnded = true
            defer { state.tasks = [:] }
            return state.tasks
        }
        for (asker, task) in tasks {
            task.cancel()
            asker.tell(.failed(error))
        }
    }
}

extension ReferenceTable {
    /// A channel of a user's own kind, by its name.
    package func ownChannel<Channel: AbstractChannel>(_ name: ReferenceName, _ type: Channel.Type) -> Channel? {
        (channel(name) as? OwnChannel<Channel>)?.channel
    }
}
