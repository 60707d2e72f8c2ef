import Foundation
import Testing

/// Holds that the page "Coming from Julia" leaves nothing out, and that what it refers to is there.
@Suite("ComingFromJulia.md", .serialized)
struct ComingFromJuliaTests {
    /// A row of its tables: the code in its cells, and the rest of them.
    private struct Row {
        let julia: [String]
        let swift: [String]
        let difference: String
        let tests: [String]
        let line: String
    }

    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    private let root = ComingFromJuliaTests.root

    /// The names of Julia's `Distributed`, and of what its documentation counts as parts of it.
    private static let names = """
        addprocs restrict machine_spec :auto tunnel multiplex ssh sshflags max_parallel shell dir exename exeflags env
        enable_threaded_blas cmdline_cookie topology :all_to_all :master_worker :custom lazy JULIA_WORKER_TIMEOUT
        default_addprocs_params LocalManager SSHManager nprocs nworkers procs check_same_host workers myid rmprocs
        waitfor interrupt pmap distributed batch_size on_error retry_delays retry_check ExponentialBackOff retry
        remotecall remotecall_wait remotecall_fetch remote_do remote @spawnat @spawn :any @fetchfrom @fetch @async @sync
        errormonitor channel
        @distributed @everywhere remotecall_eval clear! timedwait pollint asyncmap RemoteException CapturedException
        CompositeException ProcessExitedException Future RemoteChannel fetch wait put! take! isready close push! length
        remoteref_id RRID channel_from_id worker_id_from_socket Channel Condition Task Process RawFD AbstractWorkerPool
        WorkerPool CachingPool default_worker_pool default_worker_pool! ClusterManager launch manage kill connect
        :register :deregister :interrupt :finalize init_worker start_worker close_stdin stderr_to_stdout
        process_messages cluster_cookie WorkerConfig io host port count userdata forward bind_addr connect_at process
        ospid environ ident connect_idents mod where whence id :posix :csh :wincmd
        """.split { $0 == " " || $0 == "\n" }.map(String.init)

    @Test("each name of Julia's has a row")
    func complete() throws {
        let named = Set(try rows().flatMap(\.julia).flatMap(juliaWords))
        let missing = Self.names.filter { !named.contains($0) }
        #expect(missing.isEmpty)
    }

    @Test("so has each name in Julia's own pages, where they are at hand")
    func pages() throws {
        let seeds = root.deletingLastPathComponent().appending(path: "shared/seeds")
        let files = (try? FileManager.default.contentsOfDirectory(at: seeds, includingPropertiesForKeys: nil)) ?? []
        let pages = files.filter { ["003", "004"].contains($0.lastPathComponent.prefix(3)) }
        guard !pages.isEmpty else { return print("skipped: Julia's pages are not in \(seeds.path)") }
        let named = Set(try rows().flatMap(\.julia).flatMap(juliaWords))
        for page in pages {
            let names = documentedNames(in: try String(contentsOf: page, encoding: .utf8))
            #expect(names.count > 50, "\(page.lastPathComponent) was not read as it should be: \(names.sorted())")
            let missing = names.filter { !named.contains($0) }.sorted()
            #expect(missing.isEmpty, "\(page.lastPathComponent)")
        }
    }

    @Test("each row says what the Swift form is, and by which test it is shown, or why there is none")
    func wholeRows() throws {
        for row in try rows() {
            if row.swift.isEmpty {
                #expect(row.difference.count > 25, "why is there none? \(row.line)")
            } else {
                #expect(!row.tests.isEmpty, "which test shows it? \(row.line)")
            }
            #expect(!row.julia.isEmpty, "what is it of Julia's? \(row.line)")
        }
    }

    @Test("the tests that it names are there")
    func tests() throws {
        let sources = try files(in: "Tests")
        for name in Set(try rows().flatMap(\.tests)).sorted() {
            let parts = name.split(separator: "/")
            try #require(parts.count == 2, "no suite and function: \(name)")
            let isThere = sources.contains { $0.contains("struct \(parts[0]) {") && $0.contains(" func \(parts[1])(") }
            #expect(isThere, "no test \(name)")
        }
    }

    @Test("the symbols that it names are public")
    func symbols() throws {
        let declared = Set(try files(in: "Sources").flatMap(publicNames))
        for row in try rows() {
            for code in row.swift {
                let words = code.split { !($0.isLetter || $0.isNumber || $0 == "_") }.map(String.init)
                for word in words where word != "_" && word != "cluster" {
                    #expect(declared.contains(word), "\(word) in \(code) is declared nowhere: \(row.line)")
                }
            }
        }
    }

    @Test("its examples are those that are compiled and run")
    func examples() throws {
        func trimmed(_ text: String) -> String {
            text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.joined(separator: "\n")
        }
        let source = trimmed(
            try String(contentsOf: root.appending(path: "Tests/Program/JuliaSnippets.swift"), encoding: .utf8))
        let blocks = try page().components(separatedBy: "```swift\n").dropFirst()
            .map { $0.components(separatedBy: "\n```")[0] }
        #expect(blocks.count >= 10)
        for block in blocks { #expect(source.contains("\n" + trimmed(block) + "\n"), "\(block)") }
    }

    // MARK: - Reading

    private func page() throws -> String {
        try String(contentsOf: root.appending(path: "Sources/Muster/Muster.docc/ComingFromJulia.md"), encoding: .utf8)
    }

    /// The rows of all tables, without their heads.
    private func rows() throws -> [Row] {
        try page().split(separator: "\n").filter { $0.hasPrefix("| ") && !$0.hasPrefix("| Julia ") }.map { line in
            let cells = line.dropFirst().dropLast().components(separatedBy: "|")
            try #require(cells.count == 4, "no row of four cells: \(line)")
            func code(_ cell: String) -> [String] {
                cell.components(separatedBy: "`").enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
            }
            return Row(
                julia: code(cells[0]), swift: code(cells[1]), difference: cells[2].trimmingCharacters(in: .whitespaces),
                tests: code(cells[3]), line: String(line))
        }
    }

    /// The words of a piece of Julia, with the marks that are parts of names: `@spawnat`, `put!`, `:custom`.
    private func juliaWords(_ code: String) -> [String] {
        func isWord(_ character: Character) -> Bool { character.isLetter || character.isNumber || character == "_" }
        var words: [String] = []
        var word = ""
        for character in code + " " {
            if isWord(character) || character == "!" {
                word.append(character)
                continue
            }
            if word.contains(where: isWord) {
                words.append(word)
                // `:custom` is a symbol; `x::Future` has a type.
                if word.hasPrefix(":") { words.append(String(word.dropFirst())) }
            }
            word = character == "@" || (character == ":" && word != ":") ? String(character) : ""
        }
        return words
    }

    /// What a page of Julia's documentation is about: its headings, signatures, keywords, fields and operations.
    private func documentedNames(in page: String) -> Set<String> {
        var names: Set<String> = []
        for line in page.split(separator: "\n").map(String.init) {
            if let heading = line.wholeMatch(
                of: #/(?:Distributed|Base|Sockets)\.(@?\w+?!?)(?:Function|Method|Type|Macro)/#)
            {
                names.insert(String(heading.1))
            } else if let signature = line.prefixMatch(of: #/([A-Za-z_]+!?)\(([^;]*)(;?.*)/#) {
                names.insert(String(signature.1))
                for keyword in signature.3.matches(of: #/(\w+)(?:::\w+)?\s?=/#) { names.insert(String(keyword.1)) }
            } else if let macro = line.prefixMatch(of: #/@[a-z]+/#) {
                names.insert(String(macro.0))
            } else if let item = line.prefixMatch(of: #/\s+• (\w+)(?:::\w+)?(?::| – | - )/#) {
                names.insert(String(item.1))
            } else if let item = line.prefixMatch(of: #/\s+• (?:with :|\w+=:)(\w+)(?:\/:(\w+))?/#) {
                names.insert(":" + item.1)
                if let other = item.2 { names.insert(":" + other) }
            } else if let operation = line.prefixMatch(of: #/\s+• (\w+!?) - /#) {
                names.insert(String(operation.1))
            }
            for variable in line.matches(of: #/JULIA_WORKER_[A-Z]+/#) { names.insert(String(variable.0)) }
        }
        return names
    }

    private func files(in directory: String) throws -> [String] {
        let base = root.appending(path: directory)
        let names = FileManager.default.enumerator(atPath: base.path)?.compactMap { $0 as? String } ?? []
        return try names.filter { $0.hasSuffix(".swift") }.map {
            try String(contentsOf: base.appending(path: $0), encoding: .utf8)
        }
    }

    /// The names that public declarations of a file have, and those of their arguments.
    private func publicNames(in source: String) -> Set<String> {
        let keywords: Set<Substring> = [
            "func", "var", "let", "class", "struct", "enum", "protocol", "typealias", "case", "init",
        ]
        var names: Set<String> = []
        var (isInProtocol, isInSignature) = (false, false)
        for line in source.split(separator: "\n") {
            let text = line.drop { $0 == " " }
            guard !text.hasPrefix("//") else { continue }
            if line.hasPrefix("public protocol ") { isInProtocol = true }
            if line.hasPrefix("}") { isInProtocol = false }
            let isDeclaration = text.hasPrefix("public ") || isInProtocol
            guard isDeclaration || isInSignature else { continue }
            // Names behind a keyword, and names before a colon or before the name that is used inside.
            let words = text.split { !($0.isLetter || $0.isNumber || $0 == "_" || $0 == ":") }
            for (index, word) in words.enumerated() {
                if index > 0, keywords.contains(words[index - 1]) { names.insert(word.trimming(":")) }
                guard word.hasSuffix(":") else { continue }
                names.insert(word.trimming(":"))
                if index > 0 { names.insert(words[index - 1].trimming(":")) }
            }
            let begins = text.contains("func ") || text.contains("init")
            isInSignature = (isInSignature || begins) && !text.contains("{") && !isInProtocol
        }
        return names
    }
}

extension Substring {
    fileprivate func trimming(_ mark: Character) -> String { String(filter { $0 != mark }) }
}
