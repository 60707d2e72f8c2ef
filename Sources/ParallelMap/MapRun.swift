import ClusterRuntime
import Remote
import Scheduling
import Synchronization
import Transport
import Wire

/// One map under way: keeps its workers supplied with batches and its results in order.
///
/// It runs on the threads that bring the answers: an answer makes the next batch leave, with no task in between.
final class MapRun<Element: Sendable, Output: Sendable>: Sendable {
    private struct State {
        var schedule: MapSchedule<WorkerID>
        /// The results of the batches as they came, and where each batch begins.
        var outputs: [[Output]] = []
        var starts: [Int] = []
        var calls: [WorkerID: [Range<Int>: UInt64]] = [:]
        var isOver = false
    }

    private let elements: [Element]
    private let function: FunctionReference
    private let captures: CaptureSet?
    private let members: [Member]
    private let state: Mutex<State>
    private let outcome = Eventual<Result<[Output], any Error>>()

    init(
        _ elements: [Element], function: FunctionReference, captures: CaptureSet?, members: [Member],
        batchSize: BatchSize
    ) {
        self.elements = elements
        self.function = function
        self.captures = captures
        self.members = members
        var schedule = MapSchedule<WorkerID>(count: elements.count, batchSize: batchSize)
        for member in members { schedule.join(member.id) }
        state = Mutex(State(schedule: schedule))
    }

    /// Runs the map to its end.
    func run() async throws -> [Output] {
        await withTaskCancellationHandler {
            if elements.isEmpty {
                end(.success([]))
            } else {
                // A batch for each is set aside before any is sent, so that few elements are spread over all.
                let now = monotonicSeconds()
                let first = state.withLock { state in
                    members.map { member in (member, state.schedule.next(for: member.id, now: now)) }
                }
                for case let (member, batch?) in first { send(batch, to: member) }
                for member in members { supply(member) }
            }
            _ = await outcome.get()
        } onCancel: {
            end(.failure(CancellationError()))
        }
        return try await outcome.get().get()
    }

    private func supply(_ member: Member) {
        let now = monotonicSeconds()
        while let batch = state.withLock({ $0.isOver ? nil : $0.schedule.next(for: member.id, now: now) }) {
            send(batch, to: member)
        }
    }

    private func send(_ batch: Range<Int>, to member: Member) {
        var output = WireWriter(reserving: 64)
        ValueCoder<Element>().write(elements[batch], to: &output)
        let bytes: [UInt8]
        do {
            bytes = try output.finish()
        } catch {
            return end(.failure(error))
        }
        let call = member.call(function, captures, bytes) { [self] reply in
            received(reply, of: batch, from: member)
        } onFailure: { [self] error in
            failed(error, batch, of: member)
        }
        guard let call else { return }
        // The answer may have been here first; then there is nothing left to cancel.
        let isOver = state.withLock { state in
            state.calls[member.id, default: [:]][batch] = call
            return state.isOver
        }
        if isOver { member.cancel(call) }
    }

    private func received(_ reply: RawSpan, of batch: Range<Int>, from member: Member) {
        let outputs: [Output]
        do {
            outputs = try read(reply, of: batch, from: member)
        } catch {
            return end(.failure(error))
        }
        let now = monotonicSeconds()
        let finished = state.withLock { state -> (starts: [Int], outputs: [[Output]])? in
            guard !state.isOver else { return nil }
            state.calls[member.id]?[batch] = nil
            state.outputs.append(outputs)
            state.starts.append(batch.lowerBound)
            state.schedule.finished(batch, by: member.id, now: now)
            return state.schedule.isComplete ? (state.starts, state.outputs) : nil
        }
        guard let finished else { return supply(member) }
        end(.success(inOrder(finished.outputs, startingAt: finished.starts)))
    }

    /// All results in the order of the elements.
    private func inOrder(_ batches: [[Output]], startingAt starts: [Int]) -> [Output] {
        // Sorted by numbers alone, and copied batch by batch: this code knows the results' type at run time only.
        let order = starts.indices.sorted { starts[$0] < starts[$1] }
        return unsafe [Output](unsafeUninitializedCapacity: elements.count) { target, count in
            for index in order {
                unsafe batches[index].withUnsafeBufferPointer { batch in
                    // SAFETY: each batch was answered once, with as many results as it has elements.
                    guard let start = batch.baseAddress, let base = target.baseAddress else { return }
                    unsafe (base + count).initialize(from: start, count: batch.count)
                }
                count += batches[index].count
            }
        }
    }

    /// A batch was not done: the others do it if the worker was removed, which it is only after what it had begun.
    private func failed(_ error: any Error, _ batch: Range<Int>, of member: Member) {
        guard let error = error as? ClusterError, error.code == .noSuchWorker else { return end(.failure(error)) }
        let goesOn = state.withLock { state in
            guard !state.isOver else { return false }
            state.schedule.returned(batch, by: member.id)
            return state.schedule.hasWorkers
        }
        guard goesOn else { return end(.failure(error)) }
        for member in members { supply(member) }
    }

    private func read(_ reply: RawSpan, of batch: Range<Int>, from member: Member) throws -> [Output] {
        var reader = WireReader(reply)
        let answer: BatchReply<Output>
        do {
            answer = try BatchReply(from: &reader)
        } catch {
            throw ClusterError(.refused, "the answer of worker \(member.id) can't be read: \(error)")
        }
        if let failed = answer.failures.min(by: { $0.index < $1.index }) {
            throw RemoteError(
                worker: member.id, host: member.launched.host, index: batch.lowerBound + failed.index,
                failure: failed.failure)
        }
        guard answer.outputs.count == batch.count else {
            throw ClusterError(
                .refused, "worker \(member.id) answered \(batch.count) elements with \(answer.outputs.count) results")
        }
        return answer.outputs
    }

    private func end(_ result: Result<[Output], any Error>) {
        let calls = state.withLock { state -> [WorkerID: [Range<Int>: UInt64]] in
            state.isOver = true
            defer {
                state.calls = [:]
                state.outputs = []
                state.starts = []
            }
            return state.calls
        }
        if case .failure = result {
            for member in members {
                for call in calls[member.id, default: [:]].values { member.cancel(call) }
            }
        }
        outcome.fulfil(result)
    }
}

extension Cluster {
    /// What all forms of `pmap` come down to.
    nonisolated(nonsending) func map<Element: Sendable, Output: Sendable, each Capture>(
        _ elements: [Element], _ function: FunctionReference, capturing captures: repeat each Capture,
        pool: (any AbstractWorkerPool)?, batchSize: BatchSize, file: String, line: Int
    ) async throws -> [Output] where repeat each Capture: WireEncodable & WireDecodable & Sendable {
        let encoded = try EncodedCaptures(repeat each captures, file: file, line: line)
        let members = try pool?.workers.map { id throws(ClusterError) in try member(id) } ?? allMembers()
        guard !members.isEmpty else { throw ClusterError.noWorkers }
        let cache = pool == nil ? captureCache : (pool as? CachingPool)?.cache
        let captures: CaptureSet? =
            if encoded.isEmpty { nil } else if let cache { cache.take(encoded) } else { CaptureSet(encoded) }
        defer {
            if let captures {
                if let cache { cache.release(captures) } else { captures.forget() }
            }
        }
        return try await MapRun(
            elements, function: function, captures: captures, members: members, batchSize: batchSize
        ).run()
    }
}
