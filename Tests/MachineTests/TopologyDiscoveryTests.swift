import Placement
import Testing

@testable import Machine

@Suite("Topology discovery")
struct TopologyDiscoveryTests {
    @Test("this machine has CPUs, and those allowed are within the mask this process was given")
    func thisMachine() throws {
        let topology = try Topology.discover()
        #expect(!topology.allowed.isEmpty && topology.allowed.isSubset(of: inheritedAffinity))
        #expect(topology.allowed.isSubset(of: topology.online) && topology.online.isSubset(of: topology.complete))
        #expect(CPUSet(topology.pus.map(\.osIndex)) == topology.online)
    }

    @Test("this machine is discovered once, whatever threads are bound to later")
    func once() throws {
        let topology = try Topology.discover()
        let former = try affinity()
        try bindCurrentThread(to: CPUSet(topology.allowed.prefix(1)))
        defer { try? bindCurrentThread(to: former) }
        #expect(try Topology.discover() == topology)
    }

    @Test("hwloc leaves the binding of the thread that asks alone")
    func leavesBinding() throws {
        let former = try affinity()
        guard let hwloc = HwlocTopology(), hwloc.load() else {
            Issue.record("hwloc can't load this machine")
            return
        }
        #expect(try affinity() == former)
    }

    @Test("packages, NUMA nodes, caches, cores and CPUs are taken over in logical order")
    func synthetic() throws {
        let topology = try Topology(
            synthetic: "pack:2 numa:2(memory=3GiB) l3:1(size=16MiB) l2:2(size=1MiB) core:1 pu:2(indexes=core:numa:pack)"
        )
        #expect(topology.packages.map(\.osIndex) == [0, 1])
        #expect(topology.numaNodes.map(\.osIndex) == [0, 1, 2, 3])
        #expect(topology.numaNodes.allSatisfy { $0.memoryByteCount == 3 << 30 && $0.cpus.count == 4 })
        #expect(topology.caches.count { $0.level == 2 && $0.byteCount == 1 << 20 && $0.cpus.count == 2 } == 8)
        #expect(topology.caches.count { $0.level == 3 && $0.byteCount == 16 << 20 && $0.cpus.count == 4 } == 4)
        #expect(topology.cores.map(\.package) == [0, 0, 0, 0, 1, 1, 1, 1])
        #expect(topology.pus.map(\.core) == (0..<16).map { $0 / 2 })
        // The kernel numbers cores first here, then their second threads.
        #expect(topology.cores.allSatisfy { core in core.cpus.max == core.cpus.min.map { $0 + 8 } })
        #expect(topology.allowed == CPUSet(0..<16) && topology.cpuQuota == nil && topology.usableCoreCount == 8)
    }

    @Test("a machine without cores has one for each CPU")
    func noCores() throws {
        let topology = try Topology(synthetic: "numa:2 pu:3")
        #expect(topology.cores.count == 6 && topology.pus.map(\.core) == Array(0..<6))
        #expect(topology.packages.isEmpty && topology.cores.allSatisfy { $0.package == nil })
    }

    @Test("a machine of more than 1024 CPUs is taken over whole")
    func large() throws {
        let topology = try Topology(synthetic: "pack:8 l3:8 core:32 pu:2")
        #expect(topology.allowed == CPUSet(0..<4096))
    }

    @Test(
        "a malformed description is an error that quotes it and shows a good one",
        arguments: ["", "foo:2", "pack:0", "pack:2 core", "pu:2 core:2", "pack:-1"])
    func badSynthetic(description: String) {
        let error = #expect(throws: TopologyError.self) { try Topology(synthetic: description) }
        #expect(error?.code == .badDescription)
        #expect(error?.description.contains("'\(description)' is malformed; write levels") == true)
    }

    @Test("a file that can't be read is an error with the reason")
    func unreadable() {
        let missing = #expect(throws: TopologyError.self) { try Topology(xmlFile: "/no/such/file.xml") }
        #expect(missing?.code == .unreadable && missing?.problem == "can't be read: No such file or directory")
        let directory = #expect(throws: TopologyError.self) { try Topology(xmlFile: "/") }
        #expect(directory?.problem == "can't be read: Is a directory")
    }

    @Test(
        "XML that is none of hwloc 2's is an error that says what it is",
        arguments: [
            ("", TopologyError.Code.notTopology), ("hello", .notTopology), ("<topology", .notTopology),
            ("<topology version=\"2.0\"><object", .notTopology),
            ("<topology version=\"2.0\"></topology>", .notTopology),
            ("<topology version=\"3.0\"></topology>", .wrongVersion),
            ("<topology version=\"7\"></topology>", .wrongVersion),
        ])
    func badXML(text: String, code: TopologyError.Code) throws {
        let error = #expect(throws: TopologyError.self) { try Topology(xml: Array(text.utf8), named: "x.xml") }
        #expect(error?.code == code && error?.description.hasPrefix("the topology file x.xml ") == true)
    }

    @Test("numbers in a file that no machine has are left out", arguments: ["2000000", "4000000000"])
    func absurdNumbers(number: String) throws {
        let nodes = "nodeset=\"0x1\" complete_nodeset=\"0x1\""
        let text = """
            <?xml version="1.0" encoding="UTF-8"?>
            <!DOCTYPE topology SYSTEM "hwloc2.dtd">
            <topology version="2.0">
            <object type="Machine" os_index="0" cpuset="0x3" complete_cpuset="0xf...f" allowed_cpuset="0x3" \(nodes)
              allowed_nodeset="0x1" gp_index="1">
            <object type="NUMANode" os_index="0" cpuset="0x3" complete_cpuset="0x3" \(nodes) gp_index="2"
              local_memory="18446744073709551615"/>
            <object type="PU" os_index="0" cpuset="0x1" complete_cpuset="0x1" \(nodes) gp_index="3"/>
            <object type="PU" os_index="\(number)" cpuset="0x2" complete_cpuset="0x2" \(nodes) gp_index="4"/>
            </object></topology>
            """
        let topology = try Topology(xml: Array(text.utf8), named: "x.xml")
        #expect(topology.pus.map(\.osIndex) == [0] && topology.allowed == [0])
        #expect(topology.complete.max == CPUSet.largestCPU && topology.numaNodes.map(\.memoryByteCount) == [.max])
    }

    /// A machine of one CPU with two NUMA nodes.
    private func machine(secondNode: String, kind: String) -> [UInt8] {
        let sets = "cpuset=\"0x1\" complete_cpuset=\"0x1\" nodeset=\"0x3\" complete_nodeset=\"0x3\""
        func node(_ index: String, _ set: String, _ number: Int) -> String {
            """
            <object type="NUMANode" os_index="\(index)" cpuset="0x1" complete_cpuset="0x1" nodeset="\(set)"
              complete_nodeset="\(set)" gp_index="\(number)" local_memory="1048576" subtype="\(kind)"/>
            """
        }
        let text = """
            <?xml version="1.0" encoding="UTF-8"?>
            <!DOCTYPE topology SYSTEM "hwloc2.dtd">
            <topology version="2.0">
            <object type="Machine" os_index="0" \(sets) allowed_cpuset="0x1" allowed_nodeset="0x3" gp_index="1">
            \(node("0", "0x1", 2))\(node(secondNode, "0x2", 3))
            <object type="Core" os_index="0" \(sets) gp_index="4"><object type="PU" os_index="0" \(sets) gp_index="5"/></object>
            </object></topology>
            """
        return Array(text.utf8)
    }

    @Test("a NUMA node of a number that no machine has is left out, and plans are explained without it")
    func absurdNode() throws {
        let usual = try Topology(xml: machine(secondNode: "1", kind: "DRAM"), named: "x.xml")
        #expect(usual.numaNodes.map(\.osIndex) == [0, 1])
        let absurd = try Topology(xml: machine(secondNode: "4000000", kind: "DRAM"), named: "x.xml")
        #expect(absurd.numaNodes.map(\.osIndex) == [0])
        let all = try PlacementPlan.explanations(of: PlacementRequest(workers: 1), on: absurd)
        #expect(all[0].last == "memory: from node 0 while there is some, local to its CPUs")
    }

    @Test("names from a file hold no control characters")
    func names() throws {
        let topology = try Topology(
            xml: machine(secondNode: "1", kind: "H\u{1b}[2J\u{9b}31mBM\u{7f}é"), named: "x.xml")
        #expect(topology.numaNodes.map(\.kind) == ["H?[2J?31mBM?é", "H?[2J?31mBM?é"])
    }
}
