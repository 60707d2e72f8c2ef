import Machine
import Placement
import Testing

@testable import MusterTool

@Suite("the pieces of muster topology")
struct PicturePiecesTests {
    @Test("what holds the same CPUs is one box, and memory without CPUs stands beside")
    func boxes() throws {
        var topology = try Topology(synthetic: "pack:2 l3:1 core:2 pu:2")
        topology.numaNodes = [
            .init(osIndex: 0, memoryByteCount: 1 << 34, cpus: [0, 1, 2, 3], kind: "DRAM"),
            .init(osIndex: 2, memoryByteCount: 1 << 33, cpus: [0, 1, 2, 3], kind: "HBM"),
            .init(osIndex: 1, cpus: [4, 5, 6, 7]), .init(osIndex: 3, memoryByteCount: 1 << 40, cpus: []),
        ]
        let machine = MachinePart(topology)
        #expect(
            machine.parts.map(\.labels) == [
                ["Package 0", "NUMA 0 (DRAM, 16 GiB)", "NUMA 2 (HBM, 8 GiB)", "L3 16 MiB"],
                ["Package 1", "NUMA 1", "L3 16 MiB"], ["Without CPUs here", "NUMA 3 (1 TiB)"],
            ])
        #expect(machine.parts.map(\.kind) == [.package, .package, .beside])
        #expect(machine.allCores == [0, 1, 2, 3])
    }

    @Test(
        "every core is in one box, whatever overlaps", arguments: [CPUSet([0]), [1, 2], [0, 1, 2], [0, 1, 2, 3, 4]])
    func overlaps(cpus: CPUSet) throws {
        var topology = try Topology(synthetic: "pack:2 core:2 pu:2")
        topology.numaNodes = [.init(osIndex: 7, cpus: cpus)]
        let machine = MachinePart(topology)
        #expect(machine.allCores.sorted() == [0, 1, 2, 3])
        func labels(_ part: MachinePart) -> [String] { part.labels + part.parts.flatMap(labels) }
        #expect(labels(machine).contains { $0.hasPrefix("NUMA 7") })
    }

    @Test("kinds of cores are named: by their source, as P and E if there are two, by rank")
    func kinds() throws {
        var topology = try Topology(synthetic: "pack:1 core:4 pu:1")
        func labels() -> [[String]] { MachinePart(topology).parts[0].parts.map(\.labels) }
        for core in 2..<4 { topology.cores[core].kind = 1 }
        #expect(labels() == [["2 P-cores"], ["2 E-cores"]])
        topology.coreKinds = [.init(name: "big\u{1b}"), .init(name: "IntelAtom")]
        #expect(labels() == [["2 big? cores"], ["2 E-cores"]])
        topology.coreKinds = []
        topology.cores[3].kind = 2
        #expect(labels() == [["2 kind-0 cores"], ["1 kind-1 core"], ["1 kind-2 core"]])
    }

    @Test("devices that are alike share a line, with their names as ranges, and nameless others are left out")
    func devices() throws {
        var topology = try Topology(synthetic: "pack:2 core:2 pu:1")
        let near: CPUSet = [0, 1]
        topology.devices = [
            .init(kind: .other, names: [], busID: "0000:00:1f.0", cpus: near),
            .init(kind: .network, names: ["eth0"], cpus: [0, 1, 2, 3]),
            .init(kind: .gpu, names: ["card0", "cuda8"], busID: "0000:34:00.0", model: "Acme, Inc. X 1", cpus: near),
            .init(kind: .gpu, names: ["card1", "cuda9"], busID: "0000:36:00.0", model: "Acme, Inc. X 1", cpus: near),
            .init(kind: .gpu, names: ["card3", "cuda10"], busID: "0000:38:00.0", model: "Acme, Inc. X 1", cpus: near),
        ]
        let shown = topology.shownDevices
        #expect(
            shown.map(\.text) == [
                "3 GPUs card0-1,3, cuda8-10 (0000:34:00.0, …) Acme X 1", "NIC eth0",
            ])
        let lines = shown[0].lines(width: 40, indent: "  ") { $0.count }
        #expect(lines.lines == ["3 GPUs card0-1,3, cuda8-10", "  (0000:34:00.0, …) Acme X 1"])
        let machine = MachinePart(topology)
        #expect(machine.parts[0].parts[0].devices.map(\.name).count == 1)
    }

    @Test("text is shortened to its place, and has no characters that would leave it")
    func text() {
        #expect(PictureText.cleaned("a\u{1b}[31mb\n\u{9b}c\u{202e}d漢é") == "a?[31mb ?c?d?é")
        let width = { (text: String) in text.count }
        #expect(PictureText.shortened("Tesla K40m", to: 10, measure: width) == "Tesla K40m")
        #expect(PictureText.shortened("Tesla K40m", to: 7, measure: width) == "Tesla…")
        #expect(PictureText.shortened("Tesla", to: 0, measure: width) == "")
        #expect(
            PictureText.lines(of: ["ab", "cd", "efghij"], separator: " ", width: 5, measure: width)
                == ["ab cd", "efgh…"])
        let sizes: [UInt64] = [0, 1023, 1024, 1_300_000, 1 << 40]
        #expect(sizes.map(PictureText.size) == ["0 B", "1023 B", "1 KiB", "1.2 MiB", "1 TiB"])
    }

    @Test("borders that meet are joined")
    func borders() {
        var canvas = Canvas(width: 7, height: 5)
        for (x, y) in [(0, 0), (3, 0), (0, 2)] {
            canvas.frame(PictureRect(x: x, y: y, width: 4, height: 3), isHeavy: false)
        }
        canvas.write("a", x: 1, y: 0)
        #expect(
            canvas.lines(for: Screen(hasUnicode: true)) == ["┌a─┬──┐", "│  │  │", "├──┼──┘", "│  │", "└──┘"])
        #expect(canvas.lines(for: Screen()).first == "+a-+--+")
    }
}
