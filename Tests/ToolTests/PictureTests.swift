import Foundation
import Testing

@Suite("muster topology, drawn")
struct PictureTests {
    /// Machines of all shapes that a description can say.
    static let descriptions = [
        "core:1 pu:2", "pack:1 core:6 pu:2", "pack:2 core:4 pu:8", "pack:24 core:8 pu:1", "pack:24 core:1 pu:1",
        "numa:2 pack:2 core:3 pu:2", "pack:2 numa:2 l3:2 core:4 pu:2", "pack:2 [numa] l3:12 core:8 pu:2",
        "pack:2 [numa][numa] l3:1 core:28 pu:2", "core:2 numa:2 pu:1", "pack:4 group:2 l2:3 core:2 pu:1",
        "pack:8 [numa] core:28 pu:2(indexes=numa*8:pu*2:core*28)",
    ]

    @Test("a small machine is drawn core by core, and workers stand below their CPUs")
    func small() async throws {
        let run = try await muster(
            "topology", "--synthetic", "pack:2 [numa(memory=2GiB)] l3:1(size=8MiB) core:2 pu:2", "--workers", "3",
            environment: unicode)
        #expect(run.status == 0 && run.errors.isEmpty)
        #expect(
            run.output == """
                Machine: 2 packages, 2 NUMA nodes, 4 cores, 8 CPUs, 4 GiB
                Caches: 2 × L3 8 MiB
                Usable: 8 of 8 CPUs, 0-7
                Plan: 3 workers on 3 of 8 usable CPUs
                ┏ Package 0 · NUMA 0 (2 GiB) ┓ ┏ Package 1 · NUMA 1 (2 GiB) ┓
                ┃ L3 8 MiB                   ┃ ┃ L3 8 MiB                   ┃
                ┃ ┌ Core 0 ┬ Core 1 ┐        ┃ ┃ ┌ Core 2 ┬ Core 3 ┐        ┃
                ┃ │  0   1 │  2   3 │        ┃ ┃ │  4   5 │  6   7 │        ┃
                ┃ │ w1   · │ w2   · │        ┃ ┃ │ w3   · │  ·   · │        ┃
                ┃ └────────┴────────┘        ┃ ┃ └────────┴────────┘        ┃
                ┗━━━━━━━━━━━━━━━━━━━━━━━━━━━━┛ ┗━━━━━━━━━━━━━━━━━━━━━━━━━━━━┛
                w1: worker 1, below its CPU. · free.

                """)
    }

    @Test("a core of a large machine is a column, its numbers are workers, and marks say what can't be used")
    func large() async throws {
        let run = try await muster(
            "topology", "--synthetic", "pack:1 l3:2 core:10 pu:2", "--workers", "90", environment: plain)
        let picture = """
            + Package 0 . NUMA 0 (1 GiB) =====================================+
            | + L3 16 MiB . CPU 0-19 ---------------------------------------+ |
            | |   1+2   2+2   3+2   4+2   5+2  6,26  7,27  8,28  9,29 10,30 | |
            | | 11,31 12,32 13,33 14,34 15,35 16,36 17,37 18,38 19,39 20,40 | |
            + L3 16 MiB . CPU 20-39
            """
        for line in picture.split(separator: "\n") { #expect(run.output.contains(line)) }
        #expect(run.lines.contains("CPUs of a core stand one above the other. Numbers are workers."))
        #expect(run.lines.contains("1+2: worker 1 and two more."))
    }

    @Test("nothing is wider than 80 columns, with workers or without", arguments: descriptions)
    func width(description: String) async throws {
        for workers in [[], ["--workers", "5"], ["--threads", "2"], ["--workers", "300", "--mode", "compact"]] {
            let run = try await muster(["topology", "--synthetic", description] + workers, environment: unicode)
            #expect(run.status == 0 && run.errors.isEmpty)
            #expect(run.lines.allSatisfy { $0.count <= 80 }, "\(workers)")
            #expect(run.lines.count < 75)
        }
    }

    @Test("real machines fit as well, and their drawings hold together")
    func real() async throws {
        let files = Self.realMachines
        if files.isEmpty { print("skipped: no ../shared/topologies") }
        for file in files {
            try await real(file: file, workers: [])
            try await real(file: file, workers: ["--mode", "balanced"])
        }
    }

    private func real(file: String, workers: [String]) async throws {
        let run = try await muster(["topology", "--xml", file] + workers, environment: unicode)
        #expect(run.status == 0 && run.lines.allSatisfy { $0.count <= 80 })
        try check(Drawing(try await muster(["topology", "--xml", file, "--svg", "-"] + workers)))
    }

    @Test("every usable CPU is there", arguments: descriptions)
    func completeness(description: String) async throws {
        let machine = try await muster("topology", "--synthetic", description, "--json").json
        let usable = Set(try #require(machine?["usable"] as? [Int]))
        let run = try await muster("topology", "--synthetic", description, environment: plain)
        // The summary and labels have numbers of their own; these are the cells.
        let picture = run.lines.drop { !$0.hasPrefix("+") && !$0.hasPrefix("NUMA") }
        let cells = picture.flatMap { $0.split { " |".contains($0) }.compactMap { Int($0) } }
        #expect(usable.isSubset(of: cells))
        let drawing = try Drawing(try await muster("topology", "--synthetic", description, "--svg", "-"))
        #expect(Set(drawing.cpus.keys) == usable)
    }

    @Test("a very large machine is folded, and says what it left out")
    func folding() async throws {
        let run = try await muster("topology", "--synthetic", "pack:16 [numa] core:60 pu:2", environment: unicode)
        #expect(run.lines.count < 30)
        #expect(run.lines.contains("and 15 more like it (Package 1 to Package 15) · CPU 120-1919"))
        let busy = try await muster(
            "topology", "--synthetic", "pack:16 [numa] core:60 pu:2", "--cpus", "130", environment: unicode)
        #expect(busy.output.contains("and 13 more like it (Package 3 to Package 15)"), "where a worker is, is shown")
    }

    @Test("workers are drawn where the plan puts them", arguments: descriptions)
    func workers(description: String) async throws {
        for workers in [["--threads", "2", "--mode", "compact"], ["--workers", "40"]] {
            let arguments = ["--synthetic", description] + workers
            let run = try await muster(["plan", "--json"] + arguments)
            let plan = try #require(run.json?["workers"] as? [[String: Any]])
            var expected: [Int: [Int]] = [:]
            for worker in plan {
                for cpu in try #require(worker["cpus"] as? [Int]) {
                    expected[cpu, default: []].append(try #require(worker["worker"] as? Int))
                }
            }
            let drawing = try Drawing(try await muster(["topology", "--svg", "-"] + arguments))
            let shown = drawing.cpus.filter { !$0.value.isEmpty }
            #expect(shown.mapValues { $0.prefix(16) } == expected.mapValues { $0.prefix(16) })
        }
    }

    @Test("a terminal shows the same workers, each on its CPU")
    func columns() async throws {
        let run = try await muster("topology", "--xml", fixture("kinds.xml"), "--cpus", "2,7,4", environment: plain)
        var found: [Int: Int] = [:]
        for (above, below) in zip(run.lines, run.lines.dropFirst()) where below.hasPrefix("|") {
            for match in below.matches(of: /w(\d+)/) {
                // Numbers end in the same column.
                let end = below.distance(from: below.startIndex, to: match.range.upperBound)
                let cpu = try #require(above.prefix(end).split { " |".contains($0) }.last.flatMap { Int($0) })
                found[cpu] = Int(match.output.1)
            }
        }
        #expect(found == [2: 1, 7: 2, 4: 3])
    }

    @Test("CPUs that may not be used are dim, and marked where there is no colour")
    func marks() async throws {
        let file = fixture("restricted.xml")
        let run = try await muster("topology", "--xml", file, environment: unicode)
        #expect(run.output.contains("│  x0   x1 │") && run.output.contains("│   4    5 │"))
        #expect(run.lines.contains { $0.hasPrefix("x0: CPU 0") })
        let colored = try await muster("topology", "--xml", file, "--colour", "always", environment: unicode)
        #expect(colored.output.contains("\u{1b}[0;2m x0\u{1b}[0m"))
        let drawing = try Drawing(try await muster("topology", "--xml", file, "--svg", "-"))
        #expect(drawing.barred == Set([0, 1, 2, 3, 12, 13, 14, 15]))
        let offline = try await muster("topology", "--xml", fixture("offline.xml"))
        #expect(offline.lines.contains("Offline or kept from this process: CPU 1-3,8-11"))
    }

    @Test("colours are for terminals, or for who asks")
    func colors() async throws {
        let arguments = ["topology", "--synthetic", "pack:2 core:2 pu:1", "--workers", "2"]
        #expect(try await !muster(arguments).output.contains("\u{1b}"))
        #expect(try await !muster(arguments + ["--color", "never"]).output.contains("\u{1b}"))
        for word in ["--color", "--colour"] {
            let run = try await muster(arguments + [word, "always"], environment: unicode)
            #expect(run.output.contains("\u{1b}[0;30;48;5;75mw1"))
            let text = run.output.replacing(/\u{1b}\[[0-9;]*m/, with: "")
            #expect(text == (try await muster(arguments, environment: unicode).output), "the text is the same")
        }
    }

    @Test("without UTF-8 there is only ASCII", arguments: descriptions.suffix(3))
    func ascii(description: String) async throws {
        let run = try await muster("topology", "--synthetic", description, "--workers", "3", environment: plain)
        #expect(run.output.utf8.allSatisfy { $0 < 0x80 })
    }

    @Test("no box of a drawing cuts another one or its text", arguments: descriptions)
    func boxes(description: String) async throws {
        for workers in [[], ["--mode", "balanced"]] {
            let run = try await muster(["topology", "--synthetic", description, "--svg", "-"] + workers)
            try check(Drawing(run))
        }
    }

    @Test("drawings of the same machine are the same")
    func determinism() async throws {
        let arguments = ["topology", "--synthetic", "pack:2 numa:2 l3:2 core:4 pu:2", "--workers", "9", "--svg", "-"]
        #expect(try await muster(arguments).output == muster(arguments).output)
    }

    @Test("devices stand at the CPUs they are near, those that are alike in one line")
    func devices() async throws {
        let file = try machine(model: "Fast & <Good>")
        defer { try? FileManager.default.removeItem(at: file) }
        let run = try await muster("topology", "--xml", file.path, environment: unicode)
        #expect(run.output.contains("3 NICs eth0-2 (0000:81:00.0, …) Acme Fast & <Good>"))
    }

    @Test("names from outside are text and nothing else")
    func hostile() async throws {
        let escape = "\u{1b}]0;owned\u{7}\u{1b}[31m\u{9b}5m\u{202e}\u{7f}\"><script>&"
        let file = try machine(model: escape)
        defer { try? FileManager.default.removeItem(at: file) }
        let ways = [["--color", "always"], ["--color", "never"], ["--svg", "-"], ["--svg", "-", "--workers", "2"]]
        for arguments in ways {
            let run = try await muster(["topology", "--xml", file.path] + arguments, environment: unicode)
            #expect(run.status == 0)
            // Our own sequences begin with a 0, as those of the name do not.
            let text = arguments.contains("always") ? run.output.replacing(/\u{1b}\[0[0-9;]*m/, with: "") : run.output
            let isHarmless = { (scalar: Unicode.Scalar) in
                scalar == "\n" || scalar.value >= 0x20 && !(0x7f...0x9f).contains(scalar.value) && scalar != "\u{202e}"
            }
            #expect(text.unicodeScalars.allSatisfy(isHarmless))
            #expect(!text.contains("<script>") || !arguments.contains("--svg"))
            if arguments.contains("--svg") { try check(Drawing(run)) }
        }
    }

    @Test("a drawing that can't be written is said in one line with the cure, and exit code 1")
    func failures() async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "muster-\(UUID())")
        let machine = ["topology", "--synthetic", "core:2 pu:1"]
        let missing = try await muster(machine + ["--svg", directory.appending(path: "a.svg").path])
        #expect(missing.status == 1 && missing.errors.contains("No such file or directory; make its directory first"))
        let full = try await muster(machine + ["--svg", "/dev/full"])
        #expect(full.status == 1 && full.errors.contains("No space left on device; make room"))
        for run in [missing, full] { #expect(run.errors.split(separator: "\n").count == 1 && run.output.isEmpty) }

        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: directory) }
        let file = directory.appending(path: "a.svg")
        #expect(try await muster(machine + ["--svg", file.path]).status == 0)
        #expect(try await String(contentsOf: file, encoding: .utf8) == muster(machine + ["--svg", "-"]).output)
    }

    // MARK: Pieces

    private let unicode = ["LC_ALL": "C.UTF-8"]
    private let plain = ["LC_ALL": "C"]

    private func fixture(_ name: String) -> String {
        let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return tests.appending(path: "PlacementTests/Topologies/\(name)").path
    }

    /// Files of machines from hwloc's own tests, where there are some.
    static let realMachines: [String] = {
        let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let directory =
            ProcessInfo.processInfo.environment["MUSTER_TOPOLOGIES"] ?? tests.path + "/../../shared/topologies"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.filter { $0.hasSuffix(".xml") }.sorted().map { "\(directory)/\($0)" }
    }()

    /// A machine with three network interfaces of a maker's model, as a file.
    private func machine(model: String) throws -> URL {
        let written = model.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;")
        let devices = (0..<3).map { number in
            """
            <object type="PCIDev" gp_index="\(90 + 2 * number)" pci_busid="0000:81:00.\(number)" \
            pci_type="0200 [8086:1521] [00d9:0021] 01" pci_link_speed="0.0">
            <info name="PCIVendor" value="Acme"/><info name="PCIDevice" value="\(written)"/>
            <object type="OSDev" gp_index="\(91 + 2 * number)" name="eth\(number)" osdev_type="2"/>
            </object>
            """
        }
        let bridge = """
            <object type="Bridge" gp_index="80" bridge_type="0-1" depth="0" bridge_pci="0000:[80-81]">
            \(devices.joined(separator: "\n"))
            </object></object></topology>
            """
        let machine = try String(contentsOfFile: fixture("kinds.xml"), encoding: .utf8)
        let end = try #require(machine.range(of: "</object>\n", options: .backwards))
        let rest = machine[end.upperBound...].replacing("</topology>", with: "")
        let file = FileManager.default.temporaryDirectory.appending(path: "muster-\(UUID()).xml")
        let text = machine[..<end.lowerBound] + bridge.replacing("</topology>", with: "") + rest + "</topology>"
        try Data(text.utf8).write(to: file)
        return file
    }

    /// Checks that boxes of a drawing lie beside or within each other, and texts within one.
    private func check(_ drawing: Drawing) throws {
        #expect(drawing.size.width <= 1200 && !drawing.boxes.isEmpty)
        let page = CGRect(origin: .zero, size: drawing.size)
        var cuts = 0
        for (index, box) in drawing.boxes.enumerated() {
            if !page.contains(box) { cuts += 1 }
            for other in drawing.boxes[..<index] {
                let common = box.intersection(other)
                let isApart = common.isEmpty || common.width <= 0 || common.height <= 0
                if !isApart, !box.contains(other), !other.contains(box) { cuts += 1 }
            }
        }
        #expect(cuts == 0)
        for text in drawing.texts {
            // The smallest box that the text begins in holds all of it.
            let holder = drawing.boxes.filter { $0.contains(text.frame.origin) }
                .min { $0.width * $0.height < $1.width * $1.height }
            #expect((holder ?? page).contains(text.frame), "\(text.text)")
        }
    }
}
