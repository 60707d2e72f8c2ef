import Glibc
package import Machine
package import Placement

/// How to start one worker.
package struct WorkerLaunch: Sendable {
    /// Path of the program; `nil` for this one, even if its file has been replaced since it started.
    package var executable: String?
    /// Arguments added behind those of this process.
    package var flags: [String] = []
    /// Working directory; `nil` for this process's.
    package var directory: String?
    /// Variables to set besides those of this process.
    package var environment: [String: String] = [:]
    /// Where it runs; `nil` to leave that to the kernel.
    package var placement: PlacementPlan.Worker?
    /// Where its memory comes from; `nil` for what this process has.
    package var memory: MemoryPolicy?

    package init() {}
}

/// C strings for a call that takes a NULL-terminated list of them.
///
/// Strings that came from the system are passed on byte for byte: they need not be UTF-8.
@safe
struct CStringList: ~Copyable {
    private var owned: [UnsafeMutablePointer<CChar>]
    private var pointers: [UnsafeMutablePointer<CChar>?]

    init() {
        unsafe owned = []
        unsafe pointers = []
    }

    deinit {
        for unsafe pointer in unsafe owned { unsafe free(pointer) }
    }

    mutating func append(_ string: String) {
        guard let copy = unsafe strdup(string) else { fatalError("no memory for an argument") }
        unsafe owned.append(copy)
        unsafe pointers.append(copy)
    }

    /// Adds a string that outlives this list.
    @unsafe
    mutating func append(borrowed pointer: UnsafeMutablePointer<CChar>) {
        unsafe pointers.append(pointer)
    }

    func withPointers<R>(_ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) throws -> R) rethrows -> R {
        try unsafe (pointers + [nil]).withUnsafeBufferPointer { try unsafe body($0.baseAddress!) }
    }
}

extension WorkerLaunch {
    /// This process's arguments, then the flags.
    var arguments: CStringList {
        var list = CStringList()
        var index = 0
        while let argument = unsafe CommandLine.unsafeArgv[index] {
            // SAFETY: the argument vector lives as long as the process.
            unsafe list.append(borrowed: argument)
            index += 1
        }
        for flag in flags { list.append(flag) }
        return list
    }

    /// This process's environment with the additions; `role` says what the child becomes.
    func environment(role: String) -> CStringList {
        var added = environment
        added[Role.variable] = role
        if unsafe getenv("SWIFT_BACKTRACE") == nil, added["SWIFT_BACKTRACE"] == nil {
            // A trap's report goes into an error message: keep it short.
            added["SWIFT_BACKTRACE"] = "color=no,registers=none,images=none,threads=crashed,limit=16,interactive=no"
        }
        var list = CStringList()
        for (name, value) in added { list.append("\(name)=\(value)") }
        var index = 0
        while let entry = unsafe environ[index] {
            let name = unsafe String(cString: entry).prefix { $0 != "=" }
            // SAFETY: entries are not freed by setenv; the spawn is over before a user could reuse putenv memory.
            if added[String(name)] == nil { unsafe list.append(borrowed: entry) }
            index += 1
        }
        return list
    }
}
