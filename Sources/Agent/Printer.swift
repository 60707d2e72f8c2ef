import CPlatform
import Glibc
import SharedMemoryLink
import Synchronization
import Wire
import Transport

/// Prints what others hand over, in its order, on a thread that may be kept waiting: a full pipe, a terminal that is stopped.
///
/// For threads that serve links, which would be dead for as long.
package enum Printer {
    private struct State {
        var waiting = Queue<(text: [UInt8], destination: CInt, done: @Sendable () -> Void)>()
        var byteCount = 0
        var isAtWork = false
        var droppedCount = 0
    }

    /// Most bytes of notices that wait; further ones are only counted.
    private static let mostNotices = 1 << 18

    private static let state = Mutex(State())
    private static let poller = Poller(named: "muster-printer")

    /// Prints text soon, and calls `done` then.
    ///
    /// Whoever calls this sees to it that not too much waits.
    static func print(_ text: [UInt8], to destination: CInt, done: @escaping @Sendable () -> Void = {}) {
        let isToBegin = state.withLock { state in
            state.byteCount += text.count
            state.waiting.append((text, destination, done))
            defer { state.isAtWork = true }
            return !state.isAtWork
        }
        if isToBegin { poller.perform { work() } }
    }

    /// Tells the user something on standard error soon; if that is not read, and much waits, it is only counted.
    package static func notice(_ text: String) {
        let dropped = state.withLock { state -> Int? in
            guard state.byteCount <= mostNotices else {
                state.droppedCount += 1
                return nil
            }
            defer { state.droppedCount = 0 }
            return state.droppedCount
        }
        guard let dropped else { return }
        let more = dropped > 0 ? "muster: \(dropped) notices were dropped, because standard error was not read\n" : ""
        print(Array("\(more)muster: \(text)\n".utf8), to: STDERR_FILENO)
    }

    /// Waits until all that was handed over is printed, or the time is up.
    package static func flush(within limit: Duration = .seconds(2)) async {
        let isDone = Eventual<Void>()
        print([], to: STDOUT_FILENO) { isDone.fulfil(()) }
        let deadline = Poller.links.after(seconds: limit.seconds) { isDone.fulfil(()) }
        await isDone.get()
        Poller.links.cancel(deadline)
    }

    private static func work() {
        while let next = take() {
            // Through the C streams, so that lines do not land inside what the program prints itself.
            if !next.text.isEmpty { unsafe platform_print(next.destination, next.text, next.text.count) }
            next.done()
        }
        platform_flush_output()
        // What came meanwhile.
        let isMore = state.withLock { state in
            state.isAtWork = !state.waiting.isEmpty
            return state.isAtWork
        }
        if isMore { poller.perform { work() } }
    }

    private static func take() -> (text: [UInt8], destination: CInt, done: @Sendable () -> Void)? {
        state.withLock { state in
            guard let next = state.waiting.takeFirst() else { return nil }
            state.byteCount -= next.text.count
            return next
        }
    }
}
