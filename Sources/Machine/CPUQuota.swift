/// The CPU time that a process's cgroup grants, where one limits it.
enum CPUQuota {
    /// CPUs' worth of time per unit of time, the least of all groups from the process's up to the root that is mounted;
    /// nil without a limit.
    ///
    /// - Parameter root: Directory that stands for `/`; another one in tests.
    static func read(root: String = "") -> Double? {
        func text(_ path: String) -> String? {
            (try? readFile(root + path, limit: 1 << 20)).map { String(decoding: $0, as: UTF8.self) }
        }
        guard let groups = text("/proc/self/cgroup"), let mounts = text("/proc/self/mountinfo") else { return nil }
        let limits = directories(groups: groups, mounts: mounts).compactMap { directory, version in
            version == 2
                ? limit(max: text(directory + "/cpu.max") ?? "")
                : limit(
                    quota: text(directory + "/cpu.cfs_quota_us") ?? "",
                    period: text(directory + "/cpu.cfs_period_us") ?? "")
        }
        return limits.min()
    }

    /// The directories of the process's group and of its parents, with the version of cgroups they belong to.
    ///
    /// - Parameters:
    ///   - groups: `/proc/self/cgroup`: lines of `number:controllers:path`, number 0 and no controllers for version 2.
    ///   - mounts: `/proc/self/mountinfo`: the part of the tree that is mounted is field 4, where is field 5, and what
    ///     comes after ` - `.
    static func directories(groups: String, mounts: String) -> [(path: String, version: Int)] {
        var directories: [(path: String, version: Int)] = []
        for line in groups.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            let version = fields[0] == "0" && fields[1].isEmpty ? 2 : 1
            guard version == 2 || fields[1].split(separator: ",").contains("cpu") else { continue }
            guard let mount = self.mount(in: mounts, version: version) else { continue }
            // Inside a container the mount may show only the group's own part of the tree.
            var path = fields[2]
            if mount.part != "/" {
                path = path.hasPrefix(mount.part) ? path.dropFirst(mount.part.count) : ""
            }
            var names = path.split(separator: "/")
            if names.contains("..") { names = [] }
            for length in stride(from: names.count, through: 0, by: -1) {
                let path = names[..<length].map { "/\($0)" }.joined()
                directories.append((mount.point + path, version))
            }
        }
        return directories
    }

    private static func mount(in mounts: String, version: Int) -> (part: String, point: String)? {
        for line in mounts.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard let dash = fields.firstIndex(of: "-"), dash >= 6, fields.count > dash + 3 else { continue }
            let isWanted =
                version == 2
                ? fields[dash + 1] == "cgroup2"
                : fields[dash + 1] == "cgroup" && fields[dash + 3].split(separator: ",").contains("cpu")
            if isWanted { return (String(fields[3]), String(fields[4])) }
        }
        return nil
    }

    /// The limit that `cpu.max` of version 2 states, such as `150000 100000`; nil for `max` and what makes no sense.
    static func limit(max text: String) -> Double? {
        let words = text.split(whereSeparator: \.isWhitespace)
        guard words.count == 2 else { return nil }
        return limit(quota: String(words[0]), period: String(words[1]))
    }

    /// The limit of version 1's two files; nil for a quota of -1, which means none, and what makes no sense.
    static func limit(quota: String, period: String) -> Double? {
        func number(_ text: String) -> Double? {
            text.split(whereSeparator: \.isWhitespace).first.flatMap { Double($0) }
        }
        guard let quota = number(quota), let period = number(period), quota > 0, period > 0,
            (quota / period).isFinite
        else { return nil }
        return quota / period
    }
}
