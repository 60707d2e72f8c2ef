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
        if unsafe getenv("GLIBC_TUNABLES") == nil, added["GLIBC_TUNABLES"] == nil {
            // Huge pages for large arrays, where the kernel gives them to who asks: clearing pages one by one is most of
            // what a large capture costs. Small workers stay as small as they are.
            added["GLIBC_TUNABLES"] = "glibc.malloc.hugetlb=1"
        }
        return .environment(adding: added)
    }
}
