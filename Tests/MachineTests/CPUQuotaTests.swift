import Testing

@testable import Machine

@Suite("CPU quota")
struct CPUQuotaTests {
    @Test(
        "cpu.max states a quota per period",
        arguments: [
            ("150000 100000\n", 1.5), ("50000 100000", 0.5), ("max 100000\n", nil), ("", nil), ("0 100000", nil),
            ("1 0", nil), ("nan 100000", nil), ("1 2 3", nil),
        ] as [(String, Double?)])
    func version2(text: String, expected: Double?) {
        #expect(CPUQuota.limit(max: text) == expected)
    }

    @Test("version 1 states them in two files, and -1 is no limit")
    func version1() {
        #expect(CPUQuota.limit(quota: "250000\n", period: "100000\n") == 2.5)
        #expect(CPUQuota.limit(quota: "-1\n", period: "100000\n") == nil)
        #expect(CPUQuota.limit(quota: "", period: "") == nil)
    }

    @Test("a group and all its parents count, from the inside out")
    func parents() {
        let mounts = "31 23 0:28 / /sys/fs/cgroup rw,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
        let directories = CPUQuota.directories(groups: "0::/user.slice/job_7/step\n", mounts: mounts)
        #expect(
            directories.map(\.path) == [
                "/sys/fs/cgroup/user.slice/job_7/step", "/sys/fs/cgroup/user.slice/job_7", "/sys/fs/cgroup/user.slice",
                "/sys/fs/cgroup",
            ])
        #expect(directories.allSatisfy { $0.version == 2 })
    }

    @Test("version 1 is looked for where the cpu controller is mounted, and only there")
    func controllers() {
        let mounts = """
            32 31 0:29 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset
            33 31 0:30 /docker/abc /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
            """
        let groups = "4:cpuset:/docker/abc\n3:cpu,cpuacct:/docker/abc/inner\n"
        let directories = CPUQuota.directories(groups: groups, mounts: mounts)
        // Only the container's own part of the tree is mounted.
        #expect(
            directories.map(\.path) == ["/sys/fs/cgroup/cpu,cpuacct/inner", "/sys/fs/cgroup/cpu,cpuacct"])
        #expect(directories.allSatisfy { $0.version == 1 })
    }

    @Test("a group outside of what is mounted, and nonsense, leave the mount's root or nothing")
    func outside() {
        let mounts = "31 23 0:28 /../.. /sys/fs/cgroup rw - cgroup2 cgroup2 rw"
        #expect(CPUQuota.directories(groups: "0::/../x", mounts: mounts).map(\.path) == ["/sys/fs/cgroup"])
        #expect(CPUQuota.directories(groups: "0::/x", mounts: "no mounts").isEmpty)
        #expect(CPUQuota.directories(groups: "0:", mounts: mounts).isEmpty)
    }
}
