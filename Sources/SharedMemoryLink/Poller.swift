import CPlatform
import Glibc
import Synchronization
import Transport

/// What a ``Poller`` asks for news besides its descriptors: something in shared memory, of which the kernel knows nothing.
package protocol PolledSource: AnyObject, Sendable {
    /// Handles what is here; returns whether there was anything. Must not block.
    func poll() -> Bool
    /// Has the other side ring the poller's bell from now on; false if there is news already.
    func prepareToSleep() -> Bool
    /// Spares the other side the bell.
    func wakeUp()
}

/// One thread that waits for many descriptors and deadlines, and calls their handlers one after the other.
///
/// Handlers must not block: everything else this poller watches waits for them.
package final class Poller: Sendable {
    /// What a descriptor is ready for.
    package struct Readiness: OptionSet, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }
        package static let readable = Readiness(rawValue: EPOLLIN.rawValue)
        package static let writable = Readiness(rawValue: EPOLLOUT.rawValue)
        /// The other side is gone, or the descriptor is broken; reading tells which.
        package static let ended = Readiness(rawValue: EPOLLHUP.rawValue | EPOLLERR.rawValue)
    }

    /// Names a watched descriptor or a deadline; never reused, so an event that comes too late finds nothing.
    package struct Token: Hashable, Sendable {
        fileprivate let number: UInt64
    }

    private struct State {
        var watched: [UInt64: @Sendable (Readiness) -> Void] = [:]
        var deadlines: [(at: Double, token: UInt64, action: @Sendable () -> Void)] = []
        var nextToken: UInt64 = 1
        /// When the thread looks at the deadlines again by itself. While it handles what came, that is soon.
        var wakesAt = -Double.infinity
    }

    private let state = Mutex(State())
    private let sources = Mutex<[any PolledSource]>([])
    private let events: CInt
    private let wake: CInt
    /// What wakes the thread: an eventfd, which whoever has something for a ``PolledSource`` writes to.
    package var bell: CInt { wake }
    private static let wakeToken: UInt64 = 0
    /// Seconds that the thread looks for events before it sleeps, where the last came as soon as that.
    private static let patience = 100e-6
    /// Seconds after which a thread that offered its CPU to others must have lost it for a while.
    private static let turn = 3e-6

    /// The poller of links and processes.
    package static let links = Poller(named: "muster-links")

    /// Starts a poller with a thread of its own; it lives as long as the process.
    package init(named name: String) {
        events = epoll_create1(CInt(EPOLL_CLOEXEC))
        wake = eventfd(0, CInt(EFD_CLOEXEC) | CInt(EFD_NONBLOCK))
        // Not a precondition, which says nothing in a release build.
        guard events >= 0, wake >= 0 else {
            fatalError("no descriptor left for epoll; raise the limit on open files (ulimit -n)")
        }
        control(EPOLL_CTL_ADD, wake, .readable, Poller.wakeToken)
        SystemThread.start(named: name) { [self] in
            var (isBusy, rounds) = (false, 0)
            while true { wait(&isBusy, &rounds) }
        }
    }

    /// Watches a descriptor that the caller owns; it must be removed before it is closed.
    package func watch(
        _ descriptor: CInt, for readiness: Readiness, _ handler: @escaping @Sendable (Readiness) -> Void
    ) throws(SystemError) -> Token {
        let token = state.withLock { state in
            let token = state.nextToken
            state.nextToken += 1
            state.watched[token] = handler
            return token
        }
        let code = control(EPOLL_CTL_ADD, descriptor, readiness, token)
        guard code == 0 else {
            _ = state.withLock { $0.watched.removeValue(forKey: token) }
            throw SystemError("watch descriptor \(descriptor)", errno: code)
        }
        return Token(number: token)
    }

    /// Changes what a descriptor is watched for.
    package func update(_ token: Token, _ descriptor: CInt, for readiness: Readiness) {
        control(EPOLL_CTL_MOD, descriptor, readiness, token.number)
    }

    /// Stops watching; a handler that runs right now still finishes.
    package func remove(_ token: Token, _ descriptor: CInt) {
        let handler = state.withLock { $0.watched.removeValue(forKey: token.number) }
        if handler != nil { control(EPOLL_CTL_DEL, descriptor, [], token.number) }
    }

    /// Asks `source` for news from now on.
    package func add(_ source: any PolledSource) {
        sources.withLock { $0.append(source) }
        wakeUp()
    }

    /// Asks `source` no more; it may be asked once more at this moment.
    package func remove(_ source: any PolledSource) {
        sources.withLock { sources in sources.removeAll { $0 === source } }
    }

    /// Calls `action` once, on the poller's thread, after `seconds`.
    @discardableResult
    package func after(seconds: Double, _ action: @escaping @Sendable () -> Void) -> Token {
        let at = monotonicSeconds() + seconds
        let (token, isEarlier) = state.withLock { state in
            let token = state.nextToken
            state.nextToken += 1
            let index = state.deadlines.firstIndex { $0.at > at } ?? state.deadlines.endIndex
            state.deadlines.insert((at, token, action), at: index)
            defer { state.wakesAt = min(state.wakesAt, at) }
            return (token, at < state.wakesAt)
        }
        if isEarlier { wakeUp() }
        return Token(number: token)
    }

    /// Forgets a deadline that has not passed.
    package func cancel(_ token: Token) {
        state.withLock { state in state.deadlines.removeAll { $0.token == token.number } }
    }

    /// Calls `action` soon on the poller's thread.
    package func perform(_ action: @escaping @Sendable () -> Void) {
        after(seconds: 0, action)
    }

    private func wakeUp() {
        eventfd_write(wake, 1)
    }

    @discardableResult
    private func control(_ operation: CInt, _ descriptor: CInt, _ readiness: Readiness, _ token: UInt64) -> CInt {
        var event = unsafe epoll_event(events: readiness.rawValue, data: epoll_data_t(u64: token))
        return unsafe epoll_ctl(events, operation, descriptor, &event) == 0 ? 0 : errno
    }

    /// Asks all sources; whether any had news.
    private func poll(_ sources: [any PolledSource]) -> Bool {
        var hasNews = false
        for source in sources where source.poll() { hasNews = true }
        return hasNews
    }

    /// Looks for events without sleeping; 0 if none came, or if this CPU has other work: then nobody need keep it awake.
    ///
    /// - Returns: -1 if sources had news.
    private func look(
        _ buffer: UnsafeMutableBufferPointer<epoll_event>, _ sources: [any PolledSource], until end: Double
    ) -> CInt {
        var now = monotonicSeconds()
        var timesOthersRan = 0
        while now < end, timesOthersRan < 2 {
            if poll(sources) { return -1 }
            let count = unsafe epoll_wait(events, buffer.baseAddress, CInt(buffer.count), 0)
            if count > 0 { return count }
            let before = monotonicSeconds()
            sched_yield()
            now = monotonicSeconds()
            if now - before > Poller.turn { timesOthersRan += 1 }
        }
        return 0
    }

    /// Waits for events, or for the bell that sources let ring.
    private func sleep(
        _ buffer: UnsafeMutableBufferPointer<epoll_event>, _ sources: [any PolledSource], timeout: CInt
    ) -> CInt {
        var isQuiet = true
        for source in sources where isQuiet { isQuiet = source.prepareToSleep() }
        let count = unsafe epoll_wait(events, buffer.baseAddress, CInt(buffer.count), isQuiet ? timeout : 0)
        for source in sources { source.wakeUp() }
        return count
    }

    /// Waits for events and deadlines, and handles them.
    ///
    /// Waking a sleeping CPU takes tens of microseconds, several times what a message costs. So while events come
    /// quickly one after the other, the thread does not sleep at once but looks again, and lets whoever wants its CPU
    /// go first: the thread that works on what came last, in a worker with one CPU. When nothing came for a while it
    /// sleeps, and does so at once until events come quickly again: waiting for long bodies costs nothing.
    ///
    /// - Parameters:
    ///   - isBusy: Whether the last event came quickly; set for the next call.
    ///   - rounds: How often sources had news.
    private func wait(_ isBusy: inout Bool, _ rounds: inout Int) {
        let next = state.withLock { state in
            state.wakesAt = state.deadlines.first?.at ?? .infinity
            return state.deadlines.first?.at
        }
        var timeout: CInt = -1
        if let next {
            // Rounded up, or a deadline a fraction of a millisecond away would spin.
            timeout = CInt(min(max((next - monotonicSeconds()) * 1000, 0).rounded(.up), 1e9))
        }
        let sources = sources.withLock { $0 }
        let ready = unsafe withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: 64) { buffer in
            let start = monotonicSeconds()
            var count: CInt = 0
            var hasNews = poll(sources)
            if hasNews {
                timeout = 0
            } else if isBusy, timeout != 0 {
                unsafe count = look(buffer, sources, until: start + Poller.patience)
                hasNews = count < 0
            }
            if hasNews {
                // The descriptors come after every few rounds only: each asks the kernel.
                rounds &+= 1
                count = rounds % 16 == 0 ? unsafe epoll_wait(events, buffer.baseAddress, CInt(buffer.count), 0) : 0
            } else if count == 0 {
                unsafe count = sleep(buffer, sources, timeout: timeout)
            }
            isBusy = (count > 0 || hasNews) && monotonicSeconds() - start < Poller.patience
            return (0..<max(Int(count), 0)).map { index in
                unsafe (token: buffer[index].data.u64, readiness: Readiness(rawValue: buffer[index].events))
            }
        }
        state.withLock { $0.wakesAt = -.infinity }
        for (token, readiness) in ready {
            if token == Poller.wakeToken {
                var value: eventfd_t = 0
                unsafe eventfd_read(wake, &value)
                continue
            }
            let handler = state.withLock { $0.watched[token] }
            handler?(readiness)
        }
        let now = monotonicSeconds()
        while let due = state.withLock({ state -> (@Sendable () -> Void)? in
            guard let first = state.deadlines.first, first.at <= now else { return nil }
            return state.deadlines.removeFirst().action
        }) {
            due()
        }
    }
}
