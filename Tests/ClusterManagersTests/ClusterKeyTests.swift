import Agent
import Glibc
import Testing

@testable import ClusterManagers

@Suite("Keys that a user chose")
struct ClusterKeyTests {
    /// Writes a file, calls `body` with its path, and removes it.
    private func withFile(
        _ text: String, mode: mode_t = 0o600, _ body: (String) throws -> Void
    ) rethrows {
        var path = Array("/tmp/muster-key-XXXXXX".utf8CString)
        let file = unsafe mkstemp(&path)
        let name = String(decoding: path.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        defer {
            close(file)
            unsafe unlink(name)
        }
        _ = unsafe write(file, text, text.utf8.count)
        fchmod(file, mode)
        try body(name)
    }

    @Test("a file's bytes are the key, without the last line's end")
    func file() throws {
        try withFile("sixteen or more bytes\n") { path in
            let key = try ClusterKey(contentsOf: path)
            #expect(try key == ClusterKey("sixteen or more bytes"))
        }
    }

    @Test("a file that others can read or change is refused", arguments: [0o644, 0o640, 0o602, 0o610] as [mode_t])
    func openFile(mode: mode_t) throws {
        withFile("sixteen or more bytes", mode: mode) { path in
            let error = #expect(throws: LaunchError.self) { try ClusterKey(contentsOf: path) }
            #expect(error?.description.contains("chmod 600") == true)
        }
    }

    @Test(
        "what holds no key is refused",
        arguments: ["", "\n", String(repeating: "x", count: 257), String(repeating: "x", count: 9000)])
    func noKey(text: String) {
        withFile(text) { path in
            let error = #expect(throws: LaunchError.self) { try ClusterKey(contentsOf: path) }
            let words = "the key file \(path) has \(text.count > 1 ? "more than 256 bytes" : "no bytes")"
            #expect(error?.description.contains(words) == true, "\(String(describing: error))")
        }
        #expect(throws: LaunchError.self) { try ClusterKey(contentsOf: "/nowhere/key") }
        #expect(throws: LaunchError.self) { try ClusterKey(contentsOf: "/dev/zero") }
    }

    @Test("nothing that is printed shows it")
    func hidden() throws {
        let key = try ClusterKey("sesame sesame sesame")
        var dumped = ""
        dump(key, to: &dumped)
        for text in ["\(key)", String(reflecting: key), dumped] { #expect(!text.contains("sesame")) }
    }
}
