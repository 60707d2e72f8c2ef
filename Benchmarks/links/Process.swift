import Glibc

/// This process's memory, and how others are started.
enum Process {
    /// What the kernel says that a process has in memory, in KiB: `VmRSS`, `RssAnon`, `VmHWM`.
    static func kibibytes(_ word: String) -> Int {
        guard let file = unsafe fopen("/proc/self/status", "r") else { return 0 }
        defer { unsafe fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        while unsafe fgets(&line, CInt(line.count), file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            if text.hasPrefix(word + ":") { return Int(text.filter(\.isNumber)) ?? 0 }
        }
        return 0
    }

    /// Starts this program again, with `text` as its standard input.
    static func start(_ arguments: [String], input text: String) -> pid_t {
        var ends: [CInt] = [0, 0]
        guard unsafe pipe(&ends) == 0 else { return -1 }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_adddup2(&actions, ends[0], 0)
        var words = unsafe ([CommandLine.arguments[0]] + arguments).map { unsafe strdup($0) } + [nil]
        defer { unsafe words.forEach { unsafe free($0) } }
        var process: pid_t = -1
        guard unsafe posix_spawnp(&process, CommandLine.arguments[0], &actions, nil, &words, environ) == 0 else {
            return -1
        }
        close(ends[0])
        _ = unsafe write(ends[1], text, text.utf8.count)
        close(ends[1])
        return process
    }

    static func wait(_ process: pid_t) {
        var status: CInt = 0
        unsafe waitpid(process, &status, 0)
    }

    /// Processor seconds of this process so far.
    static var seconds: Double {
        var usage = rusage()
        unsafe getrusage(RUSAGE_SELF.rawValue, &usage)
        let (user, system) = (usage.ru_utime, usage.ru_stime)
        return Double(user.tv_sec + system.tv_sec) + Double(user.tv_usec + system.tv_usec) / 1e6
    }
}
