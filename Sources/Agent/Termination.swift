import CPlatform
import Glibc
package import SharedMemoryLink
import Synchronization

/// SIGINT, SIGTERM and SIGHUP, while there are workers to end before this process may.
///
/// Signals that the program handles or ignores itself are left alone.
package enum Termination {
    private struct State {
        var watchers: [Int: @Sendable (Int32) -> Void] = [:]
        var nextWatcher = 0
        /// The end of a pipe that the handler writes to; made once, kept for ever.
        var writing: CInt?
        var received: Int32?
    }

    private static let state = Mutex(State())

    /// Apart from the links' poller, which resumes tasks: where the system refuses threads, libdispatch keeps whoever
    /// does that waiting, for ever if need be, and this process must be able to end all the same.
    private static let poller = Poller(named: "muster-signals")

    /// Calls `action` with the number of the first such signal, on the signals' thread; maybe while the watch ends. It
    /// must not block.
    ///
    /// - Returns: What to give to ``endWatch(_:)``.
    package static func watch(_ action: @escaping @Sendable (Int32) -> Void) throws(SystemError) -> Int {
        try state.withLock { state throws(SystemError) in
            if state.writing == nil { state.writing = try openPipe() }
            if state.watchers.isEmpty, let writing = state.writing { platform_catch_termination(writing) }
            state.nextWatcher += 1
            state.watchers[state.nextWatcher] = action
            return state.nextWatcher
        }
    }

    /// Ends a watch. If a signal came and this was the last, the signal has its usual effect now.
    package static func endWatch(_ watcher: Int) {
        let signal = state.withLock { state -> Int32? in
            state.watchers[watcher] = nil
            guard state.watchers.isEmpty else { return nil }
            platform_release_termination()
            return state.received
        }
        guard let signal else { return }
        platform_flush_output()
        end(by: signal)
    }

    /// Ends this process by `signal`, so that whoever waits for it sees why.
    ///
    /// Waits for nothing: what is still to be printed is lost, as it is when a signal ends a program by itself.
    package static func end(by signal: Int32) -> Never {
        platform_release_termination()
        kill(getpid(), signal)
        // The program may block the signal in this thread, not in all; it ends us from whichever takes it.
        sleep(1)
        _exit(128 + signal)
    }

    /// Calls `action` on the signals' thread, which waits for nothing that could keep it from ending this process.
    package static func after(seconds: Double, _ action: @escaping @Sendable () -> Void) {
        poller.after(seconds: seconds, action)
    }

    private static func openPipe() throws(SystemError) -> CInt {
        let pipe = try DescriptorPair.pipe()
        let writing = pipe.far.duplicate()
        let reading = pipe.takeNear().release()
        _ = try poller.watch(reading, for: .readable) { _ in
            var signal: UInt8 = 0
            guard unsafe read(reading, &signal, 1) == 1 else { return }
            let number = Int32(signal)
            let watchers = state.withLock { state in
                state.received = number
                return Array(state.watchers.values)
            }
            // It came as the last watch ended, which could not know of it.
            if watchers.isEmpty { end(by: number) }
            for watcher in watchers { watcher(number) }
        }
        return writing
    }
}
