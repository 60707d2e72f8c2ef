import Glibc

/// The memory that this process may have, as the kernel tells.
///
/// Shared memory has to be asked for with care: fallocate does not refuse what the machine does not have, it takes all
/// there is, and then the kernel ends processes, this one or others. The same happens in a cgroup that is full. So what
/// is left is looked at before much is taken.
package enum SystemMemory {
    /// Bytes that could be taken now without harm to anyone: what the machine has free or can free at once, or what is
    /// left under the limit of the process's cgroup or a parent of it, whichever is less; nil if the kernel does not say.
    ///
    /// - Complexity: Reads some small files of the kernel's, about 0.1 ms.
    package static var available: Int? { least { $0.available } }

    /// Bytes of memory of the machine, or the limit of the process's cgroup, whichever is less; nil if the kernel does
    /// not say.
    package static var total: Int? { least { $0.total } }

    /// A machine or a cgroup.
    struct Amounts: Equatable {
        var total: Int
        var available: Int
    }

    private static func least(_ part: (Amounts) -> Int) -> Int? {
        var amounts: [Amounts] = []
        if let machine = machine(meminfo: kernelFile("/proc/meminfo")) { amounts.append(machine) }
        let directories = directories(
            groups: kernelFile("/proc/self/cgroup"), mounts: kernelFile("/proc/self/mountinfo"))
        for directory in directories {
            let names = directory.version == 2 ? version2 : version1
            let group = group(
                limit: kernelFile(directory.path + names.limit), usage: kernelFile(directory.path + names.usage),
                statistics: kernelFile(directory.path + "/memory.stat"), prefix: names.prefix)
            if let group { amounts.append(group) }
        }
        return amounts.map(part).min()
    }

    private static let version1 = (limit: "/memory.limit_in_bytes", usage: "/memory.usage_in_bytes", prefix: "total_")
    private static let version2 = (limit: "/memory.max", usage: "/memory.current", prefix: "")

    /// - Parameter meminfo: `/proc/meminfo`: lines of `name:  number kB`.
    static func machine(meminfo: String) -> Amounts? {
        func kilobytes(_ name: String) -> Int? {
            field(name, of: meminfo).flatMap { Int($0) }
        }
        guard let total = kilobytes("MemTotal:"), let available = kilobytes("MemAvailable:") else { return nil }
        return Amounts(total: total * 1024, available: available * 1024)
    }

    /// What a cgroup allows; nil without a limit.
    ///
    /// Its usage counts pages of files that it can drop at once, so those are available too; shared memory is not among
    /// the pages of files.
    static func group(limit: String, usage: String, statistics: String, prefix: String) -> Amounts? {
        func number(_ text: some StringProtocol) -> Int? {
            text.split(whereSeparator: \.isWhitespace).first.flatMap { Int($0) }
        }
        // Without a limit: "max", or nearly the largest number there is.
        guard let limit = number(limit), limit < 1 << 60, let usage = number(usage) else { return nil }
        let droppable = ["active_file", "inactive_file"].compactMap { field(prefix + $0, of: statistics) }
            .compactMap { Int($0) }
        return Amounts(total: limit, available: max(0, limit - usage + droppable.reduce(0, +)))
    }

    /// The directories of the process's memory cgroup and of its parents, with the version of cgroups they belong to.
    ///
    /// - Parameters:
    ///   - groups: `/proc/self/cgroup`: lines of `number:controllers:path`, number 0 and no controllers for version 2.
    ///   - mounts: `/proc/self/mountinfo`: the part of the tree that is mounted is field 4, where is field 5, and what
    ///     comes after ` - ` is the type, the source and the options.
    static func directories(groups: String, mounts: String) -> [(path: String, version: Int)] {
        var directories: [(path: String, version: Int)] = []
        for line in groups.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            let version = fields[0] == "0" && fields[1].isEmpty ? 2 : 1
            guard version == 2 || fields[1].split(separator: ",").contains("memory"),
                let mount = mount(in: mounts, version: version)
            else { continue }
            // Inside a container the mount may show only the group's own part of the tree.
            var path = fields[2]
            if mount.part != "/" { path = path.hasPrefix(mount.part) ? path.dropFirst(mount.part.count) : "" }
            var names = path.split(separator: "/")
            if names.contains("..") { names = [] }
            for length in stride(from: names.count, through: 0, by: -1) {
                directories.append((mount.point + names[..<length].map { "/\($0)" }.joined(), version))
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
                : fields[dash + 1] == "cgroup" && fields[dash + 3].split(separator: ",").contains("memory")
            if isWanted { return (String(fields[3]), String(fields[4])) }
        }
        return nil
    }

    /// The second word of the line that begins with the word `name`.
    private static func field(_ name: String, of text: String) -> Substring? {
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 2)
            if words.count >= 2, words[0] == name { return words[1] }
        }
        return nil
    }
}

/// The text of a file that the kernel makes up; empty if it can't be read.
internal func kernelFile(_ path: String) -> String {
    let number = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard number >= 0 else { return "" }
    let descriptor = Descriptor(owning: number)
    var text: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 1 << 14)
    while text.count < 1 << 20 {
        let count = unsafe read(descriptor.number, &part, part.count)
        guard count > 0 else { break }
        text += part.prefix(count)
    }
    return String(decoding: text, as: UTF8.self)
}
