import Testing

@testable import SharedMemoryLink

@Suite("System memory")
struct SystemMemoryTests {
    @Test("this machine says what it has")
    func here() throws {
        let (available, total) = try (#require(SystemMemory.available), #require(SystemMemory.total))
        #expect(available > 0 && available <= total)
    }

    @Test("the machine's lines are found among the others")
    func meminfo() {
        let text = "MemTotal:       24683688 kB\nMemFree:        1 kB\nMemAvailable:   100 kB\n"
        #expect(SystemMemory.machine(meminfo: text) == .init(total: 24_683_688 << 10, available: 102_400))
        #expect(SystemMemory.machine(meminfo: "MemTotal: 1 kB\n") == nil)
    }

    @Test("of a cgroup's usage what it can drop is available too")
    func groups() {
        let statistics = "anon 5\nactive_file 30\ninactive_file 20\ntotal_active_file 300\ntotal_inactive_file 7\n"
        func group(_ limit: String, _ usage: String, _ prefix: String = "") -> SystemMemory.Amounts? {
            SystemMemory.group(limit: limit, usage: usage, statistics: statistics, prefix: prefix)
        }
        #expect(group("1000\n", "900\n") == .init(total: 1000, available: 150))
        #expect(group("1000\n", "900\n", "total_") == .init(total: 1000, available: 407))
        #expect(group("1000\n", "2000\n") == .init(total: 1000, available: 0))
        for limit in ["max\n", "9223372036854771712\n", ""] { #expect(group(limit, "900\n") == nil) }
    }

    @Test("the process's group and its parents are found where they are mounted, in both versions")
    func directories() {
        let mounts = """
            30 24 0:26 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
            31 24 0:27 / /sys/fs/cgroup/unified rw,relatime shared:9 - cgroup2 cgroup2 rw
            """
        let found = SystemMemory.directories(groups: "4:cpu,memory:/a/b\n3:cpuset:/x\n0::/c\n", mounts: mounts)
        let root = "/sys/fs/cgroup/"
        #expect(
            found.map(\.path) == [
                root + "memory/a/b", root + "memory/a", root + "memory", root + "unified/c", root + "unified",
            ])
        #expect(found.map(\.version) == [1, 1, 1, 2, 2])
        let inside = "30 24 0:26 /docker/1 /sys/fs/cgroup ro - cgroup2 cgroup2 rw"
        #expect(
            SystemMemory.directories(groups: "0::/docker/1/w", mounts: inside).map(\.path) == [
                "/sys/fs/cgroup/w", "/sys/fs/cgroup",
            ])
    }
}
