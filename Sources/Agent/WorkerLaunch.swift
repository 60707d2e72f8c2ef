import Glibc
package import Machine
package import Placement

/// How to start one worker.
package struct WorkerLaunch: Sendable {
    /// Path of the program, from this process's directory; `nil` for this one, even if its file has been replaced since it started.
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
    /// The path that the child runs, when it is in its own directory already.
    var path: String {
        guard let executable else { return "/proc/self/exe" }
        guard directory != nil, executable.first != "/", let here = unsafe getcwd(nil, 0) else { return executable }
        defer { unsafe free(here) }
        return unsafe String(cString: here) + "/" + executable
    }

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

    /// What a worker's own runtime reads at its start, unless the user has set it.
    private static let ownVariables = [
        // A trap's report goes into an error message: keep it short.
        "SWIFT_BACKTRACE": "color=no,registers=none,images=none,threads=crashed,limit=16,interactive=no",
        // Huge pages for large arrays, where the kernel gives them to who asks: clearing pages one by one is most of
        // what a large capture costs. Small workers stay as small as they are.
        "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
    ]

    /// This process's environment with the additions, for a worker of process `parent` with its link at a descriptor.
    func environment(link: CInt, parent: pid_t) -> CStringList {
        let own = WorkerLaunch.ownVariables.filter { name, _ in
            unsafe getenv(name) == nil && environment[name] == nil
        }
        var added = environment.merging(own) { theirs, _ in theirs }
        added[Role.variable] = Role.value(link: link, parent: parent, own: own.keys.sorted())
        return .environment(adding: added)
    }
}
