import CPlatform
import Glibc
import SharedMemoryLink
import Synchronization

/// How many files this process may have open, of which each worker takes a few.
///
/// The soft limit is 1024 nearly everywhere, whatever the hard one is, because select(2) can't take descriptors from
/// 1024 on. So it is raised only where workers would not leave the program what it may need itself; their descriptors
/// are then numbered from the old limit on, so that the program's own stay below; and what Muster starts gets the old
/// limit back. It stays raised: other parts of the program may count on it by then.
package struct OpenFiles: Equatable {
    /// Descriptors that a worker takes of this process: a socket, two pipes, a pidfd, and the memory of its segments.
    static let perWorker = 5
    /// Those that a start takes for a moment besides: the worker's ends, and in the child twice.
    static let perStart = 24

    /// How many there may be.
    var soft: Int
    /// What ``soft`` can be raised to.
    var hard: Int
    /// How many are open.
    var open: Int

    /// The soft limit that `workers` more need; `nil` if it can stay.
    ///
    /// - Parameters:
    ///   - usual: The soft limit that the program had before it was raised.
    ///   - promised: Descriptors that other starts are about to open.
    /// - Throws: ``SpawnError`` if the hard limit is too low.
    func raised(for workers: Int, usual: Int, promised: Int = 0) throws(SpawnError) -> Int? {
        let most = max(hard - open - OpenFiles.perStart, 0) / OpenFiles.perWorker
        guard workers <= most else { throw SpawnError(workers, most: most, self) }
        let taken = open + promised + workers * OpenFiles.perWorker + OpenFiles.perStart
        // A quarter stays free as a matter of course. Else the program gets as many as it could have had by itself.
        if taken <= soft - usual / 4 { return nil }
        let enough = min(usual + taken, hard)
        return enough > soft ? enough : nil
    }
}

extension OpenFiles {
    private struct State {
        /// The soft limit as the program had it, and as it was set here.
        var raised: (from: Int, to: Int)?
        /// Descriptors that starts are about to open.
        var promised = 0

        /// The limit that the program had, if that which it has was set here: it may have set another since.
        func usual(_ soft: Int) -> Int { raised.flatMap { $0.to == soft ? $0.from : nil } ?? soft }
    }

    private static let state = Mutex(State())

    /// Makes room for workers that are to be started; ``release(_:)`` must follow when they have been, or have failed.
    static func reserve(_ workers: Int) throws(SpawnError) {
        try state.withLock { state throws(SpawnError) in
            let now = OpenFiles.current
            let usual = state.usual(now.soft)
            if let soft = try now.raised(for: workers, usual: usual, promised: state.promised) {
                // Where the system refuses, so it will the descriptors, which says why.
                if OpenFiles.set(soft) { state.raised = (usual, soft) }
            }
            state.promised += workers * perWorker
        }
    }

    /// Ends what ``reserve(_:)`` began: descriptors that were opened show by themselves.
    static func release(_ workers: Int) {
        state.withLock { $0.promised -= workers * perWorker }
    }

    /// Makes room for links to other hosts, of which each takes one.
    ///
    /// Those can't be numbered from the old limit on: the program's own are among them.
    ///
    /// - Returns: What the user should know, where the hard limit is too low for so many; `nil` else.
    package static func makeRoom(forLinks count: Int) -> String? {
        state.withLock { state in
            let now = OpenFiles.current
            let usual = state.usual(now.soft)
            let taken = now.open + state.promised + count
            if taken <= now.soft - usual / 4 { return nil }
            let enough = min(usual + taken, now.hard)
            if enough > now.soft, OpenFiles.set(enough) { state.raised = (usual, enough) }
            guard taken > now.hard - usual / 4 else { return nil }
            return """
                this process has \(now.open) files open, and may have no more than \(now.hard) (its hard limit): further hosts \
                may not be able to join. Raise that limit before the program starts: `ulimit -Hn` as root, LimitNOFILE of a \
                service, --ulimit nofile of a container
                """
        }
    }

    /// Takes a worker's descriptor out of the program's way, if there may be more than the program expects.
    static func moved(_ descriptor: consuming Descriptor) -> Descriptor {
        guard let first = state.withLock({ $0.raised?.from }) else { return descriptor }
        let number = fcntl(descriptor.number, F_DUPFD_CLOEXEC, CInt(clamping: first))
        // There may be no room up there.
        return number >= 0 ? Descriptor(owning: number) : descriptor
    }

    /// The soft limit for programs that are started from here; `nil` if this process's is the one it had.
    static var softLimitOfPrograms: Int? {
        state.withLock { state in
            guard let raised = state.raised else { return nil }
            return Int(clamping: limits.rlim_cur) == raised.to ? raised.from : nil
        }
    }

    /// As it is at this moment.
    private static var current: OpenFiles {
        let limits = limits
        let soft = Int(clamping: limits.rlim_cur)
        // Where there is none left to count with, that is their number.
        return OpenFiles(soft: soft, hard: Int(clamping: limits.rlim_max), open: openCount ?? soft)
    }

    private static var limits: rlimit {
        var limits = rlimit()
        let code = unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits)
        precondition(code == 0, "every process has a limit on open files")
        return limits
    }

    private static func set(_ soft: Int) -> Bool {
        var limits = limits
        limits.rlim_cur = rlim_t(soft)
        return unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits) == 0
    }

    private static var openCount: Int? {
        guard let directory = unsafe opendir("/proc/self/fd") else { return nil }
        defer { unsafe closedir(directory) }
        var count = -1  // for the directory itself
        while let entry = unsafe readdir(directory) {
            if unsafe entry.pointee.d_name.0 != CChar(bitPattern: UInt8(ascii: ".")) { count += 1 }
        }
        return count
    }
}

extension SpawnError {
    fileprivate init(_ workers: Int, most: Int, _ files: OpenFiles) {
        let cure = most == 0 ? "there is room for none here:" : "ask for at most \(most) here, or"
        description = """
            cannot start \(workers == 1 ? "a worker" : "\(workers) workers"): this process needs \
            \(OpenFiles.perWorker) open files for each, has \(files.open) open, and may have no more than \(files.hard) \
            (its hard limit); \(cure) raise that limit before the program starts: `ulimit -Hn` as root, LimitNOFILE of a service, --ulimit nofile of \
            a container
            """
    }
}
