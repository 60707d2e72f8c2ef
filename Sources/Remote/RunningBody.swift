import CPlatform
import Synchronization

/// What a body can learn of the call that it runs for, and is told meanwhile by other threads.
///
/// Bodies that do not suspend find it by their thread, others by their task: a task's value for each element would take longer
/// than many a body that does not suspend.
@safe
package final class RunningBody: Sendable {
    /// Stands for no element.
    private static let noIndex = -1

    private let seedBits = Atomic<UInt64>(0)
    private let attemptNumber = Atomic(1)
    /// Place of the batch's first element in the input.
    private let first = Atomic(RunningBody.noIndex)
    /// Place of the element in the input.
    private let element = Atomic(RunningBody.noIndex)
    private let isUnwantedFlag = Atomic(false)
    private let isInterruptedFlag = Atomic(false)
    /// How many elements were begun, of all calls.
    private let begun = Atomic(0)

    /// A body that runs for no call in particular.
    package init() {}

    /// One that runs for a call; see ``begin(seed:first:attempt:)``.
    package init(seed: UInt64, first: Int?, attempt: Int) {
        begin(seed: seed, first: first, attempt: attempt)
    }

    /// A call begins.
    ///
    /// - Parameters:
    ///   - seed: That of the map, or the call.
    ///   - first: Place of the batch's first element in the input; nil if there is no input.
    ///   - attempt: Which attempt it is, from 1, at each of the elements.
    package func begin(seed: UInt64, first: Int?, attempt: Int) {
        seedBits.store(seed, ordering: .relaxed)
        self.first.store(first ?? RunningBody.noIndex, ordering: .relaxed)
        element.store(first ?? RunningBody.noIndex, ordering: .relaxed)
        attemptNumber.store(attempt, ordering: .relaxed)
    }

    /// The body begins with an element of the batch; whoever interrupted it meant the one before.
    @inline(__always)
    func begin(element index: Int) {
        let first = first.load(ordering: .relaxed)
        if first >= 0 { element.store(first &+ index, ordering: .relaxed) }
        begun.store(begun.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
        if isInterruptedFlag.load(ordering: .relaxed) { isInterruptedFlag.store(false, ordering: .relaxed) }
    }

    /// The same for one element of the batch alone, which runs beside others.
    func body(ofElement index: Int) -> RunningBody {
        let first = first.load(ordering: .relaxed)
        return RunningBody(seed: seed, first: first < 0 ? nil : first &+ index, attempt: attempt)
    }

    var seed: UInt64 { seedBits.load(ordering: .relaxed) }
    var attempt: Int { attemptNumber.load(ordering: .relaxed) }

    var index: Int? {
        let index = element.load(ordering: .relaxed)
        return index < 0 ? nil : index
    }

    /// How many elements were begun: changes when the body goes on to another.
    package var begunCount: Int { begun.load(ordering: .relaxed) }

    // MARK: - What others tell it

    /// Whether nobody wants the result of the call any more.
    package var isUnwanted: Bool {
        get { isUnwantedFlag.load(ordering: .relaxed) }
        set { isUnwantedFlag.store(newValue, ordering: .relaxed) }
    }

    /// The body is to end with the element that it is at.
    package func interrupt() { isInterruptedFlag.store(true, ordering: .relaxed) }

    var isCancelled: Bool { isUnwanted || isInterruptedFlag.load(ordering: .relaxed) }

    // MARK: - Whose it is

    /// Bodies that this thread runs from now on can ask for this; it is kept until ``leaveThread()``.
    func enterThread() {
        unsafe platform_set_running_body(Unmanaged.passRetained(self).toOpaque())
    }

    /// The bodies have ended.
    func leaveThread() {
        platform_set_running_body(nil)
        // SAFETY: balances `enterThread`, which the same thread has called before.
        unsafe Unmanaged.passUnretained(self).release()
    }

    /// That of the body which runs on this thread.
    static var ofThread: RunningBody? {
        guard let address = unsafe platform_running_body() else { return nil }
        // SAFETY: set by `enterThread`, which keeps it until this thread has left it.
        return unsafe Unmanaged<RunningBody>.fromOpaque(address).takeUnretainedValue()
    }

    /// That of an asynchronous body, in its task.
    @TaskLocal static var ofTask: RunningBody?

    /// That of the body which asks.
    static var current: RunningBody? { ofThread ?? ofTask }
}
