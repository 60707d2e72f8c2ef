import Glibc
import Testing

@testable import TCPLink

/// A directory of a test's own, removed with all in it.
private final class Place {
    let path: String

    init() {
        var name = Array("/tmp/muster-join-XXXXXX".utf8CString)
        unsafe mkdtemp(&name)
        path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        for name in ["file", "link", "pipe", "deep/file"] { unsafe unlink("\(path)/\(name)") }
        unsafe rmdir("\(path)/deep")
        unsafe rmdir(path)
    }

    /// Puts a file there as it should not be.
    func write(_ text: String, mode: mode_t = 0o600) {
        let file = unsafe open("\(path)/file", O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        _ = unsafe Glibc.write(file, text, text.utf8.count)
        fchmod(file, mode)
        close(file)
    }
}

private let secret = "00112233445566778899aabbccddeeff"

private func sample() throws -> JoinFile {
    let key = try LaunchKey(try #require(Hexadecimal.bytes(secret[...])))
    let identity = try #require(LaunchIdentity("launch-7"))
    return try JoinFile(
        addresses: ["10.0.0.7", "fd00::7", "fe80::1%eth0", "node7.example"], port: 43_121,
        launch: LaunchKeys.Launch(identity: identity, key: key, role: .agent), buildID: [0x5f, 0x0c, 0x9d],
        expiry: 1_796_000_000)
}

@Suite("JoinFile")
struct JoinFileTests {
    @Test("the text is a line for each thing")
    func text() throws {
        let text = """
            muster-join 1
            role agent
            build 5f0c9d
            expires 1796000000
            address 10.0.0.7
            address fd00::7
            address fe80::1%eth0
            address node7.example
            port 43121
            identity launch-7
            key \(secret)

            """
        #expect(try sample().secretText == text)
        #expect(try JoinFile(secretText: Array(text.utf8)) == sample())
    }

    @Test("a file for who listens says so, and may leave the port open")
    func direction() throws {
        let listening = try JoinFile(
            addresses: ["automatic"], port: 0, launch: try sample().launch, buildID: [1], expiry: 2, direction: .listen)
        let text = listening.secretText
        #expect(text.hasPrefix("muster-join 1\nrole agent\ndirection listen\nbuild 01\n"))
        #expect(try JoinFile(secretText: Array(text.utf8)) == listening)
        #expect(try sample().direction == .dial && !sample().secretText.contains("direction"))
        let wrong = [("listen", "dial", "port"), ("listen", "both", "direction"), ("port 0", "port x", "port")]
        for (good, bad, word) in wrong {
            let text = text.split(separator: good, maxSplits: 1).joined(separator: bad)
            let error = #expect(throws: JoinError.self) { try JoinFile(secretText: Array(text.utf8)) }
            #expect(error?.description.contains("no valid \"\(word)\"") == true, "\(String(describing: error))")
        }
    }

    @Test("what is written is read, is its owner's alone, and can be removed")
    func roundTrip() throws {
        let place = Place()
        let path = "\(place.path)/deep/file"
        try sample().write(to: path)
        #expect(try JoinFile.read(from: path) == sample())
        var state = stat()
        #expect(unsafe stat(path, &state) == 0 && state.st_mode & 0o7777 == 0o600)
        #expect(unsafe stat("\(place.path)/deep", &state) == 0 && state.st_mode & 0o7777 == 0o700)
        JoinFile.remove(path)
        JoinFile.remove(path)
        #expect(unsafe access(path, F_OK) != 0)
        #expect(throws: JoinError.self) { try JoinFile.read(from: path) }
    }

    @Test("nothing that is there already is written to")
    func exclusive() throws {
        let place = Place()
        place.write("mine")
        let error = #expect(throws: JoinError.self) { try sample().write(to: "\(place.path)/file") }
        #expect(error?.code == .badFile && error?.description.contains("File exists") == true)
        #expect(unsafe symlink("\(place.path)/elsewhere", "\(place.path)/link") == 0)
        #expect(throws: JoinError.self) { try sample().write(to: "\(place.path)/link") }
        #expect(unsafe access("\(place.path)/elsewhere", F_OK) != 0)
    }

    @Test(
        "a file that others may read or change is not used",
        arguments: [0o640, 0o604, 0o620, 0o602, 0o610] as [mode_t])
    func mode(mode: mode_t) throws {
        let place = Place()
        place.write(try sample().secretText, mode: mode)
        let error = #expect(throws: JoinError.self) { try JoinFile.read(from: "\(place.path)/file") }
        #expect(error?.description.contains("others can read or change") == true)
    }

    @Test("a link, a pipe, a directory, and a file in a directory that is open to others are not used")
    func places() throws {
        let place = Place()
        place.write(try sample().secretText)
        #expect(unsafe symlink("\(place.path)/file", "\(place.path)/link") == 0)
        #expect(unsafe mkfifo("\(place.path)/pipe", 0o600) == 0)
        for (name, words) in [("link", "symbolic link"), ("pipe", "no regular file"), ("", "does not name a file")] {
            let error = #expect(throws: JoinError.self) { try JoinFile.read(from: "\(place.path)/\(name)") }
            #expect(error?.description.contains(words) == true, "\(String(describing: error))")
        }
        unsafe chmod(place.path, 0o755)
        let error = #expect(throws: JoinError.self) { try JoinFile.read(from: "\(place.path)/file") }
        #expect(error?.description.contains("chmod 700") == true)
        #expect(throws: JoinError.self) { try sample().write(to: "\(place.path)/other") }
    }

    @Test(
        "nobody is told to close a directory to others that is everybody's", arguments: ["/", "/tmp", "/etc", "sticky"])
    func everybodys(directory: String) throws {
        let place = Place()
        #expect(unsafe chmod(place.path, 0o1777) == 0)
        let directory = directory == "sticky" ? place.path : directory
        let error = #expect(throws: JoinError.self) { try JoinFile.read(from: "\(directory)/join-x") }
        #expect(error?.description.contains("`mkdir -m 700 ~/.muster`") == true, "\(String(describing: error))")
        #expect(error?.description.contains("chmod") == false)
    }

    @Test("a file that can't be made is said with what helps")
    func cures() throws {
        let place = Place()
        place.write("mine")
        let exists = #expect(throws: JoinError.self) { try sample().write(to: "\(place.path)/file") }
        #expect(exists?.description.hasSuffix("File exists; remove it, or give another name") == true)
        let nowhere = #expect(throws: JoinError.self) { try sample().write(to: "\(place.path)/a/b/file") }
        #expect(nowhere?.description.contains("set XDG_RUNTIME_DIR") == true, "\(String(describing: nowhere))")
    }

    @Test("a descriptor that does not come to its end is given up")
    func slowDescriptor() throws {
        var ends: [CInt] = [0, 0]
        #expect(unsafe pipe(&ends) == 0)
        let text = try sample().secretText
        #expect(unsafe write(ends[1], text, text.utf8.count) == text.utf8.count)
        let error = #expect(throws: JoinError.self) { try JoinFile.read(descriptor: ends[0], within: 0.05) }
        #expect(error?.code == .notReached)
        #expect(error?.description.contains("did not come to its end in 0.05 s") == true)
        #expect(unsafe write(ends[1], text, text.utf8.count) == text.utf8.count)
        close(ends[1])
        #expect(try JoinFile.read(descriptor: ends[0], within: 60) == sample())
        close(ends[0])
    }

    @Test("a descriptor is read to its end, and no further than a join file goes")
    func descriptor() throws {
        var ends: [CInt] = [0, 0]
        #expect(unsafe pipe(&ends) == 0)
        let text = try sample().secretText
        #expect(unsafe write(ends[1], text, text.utf8.count) == text.utf8.count)
        close(ends[1])
        #expect(try JoinFile.read(descriptor: ends[0]) == sample())
        close(ends[0])
        let zeros = unsafe open("/dev/zero", O_RDONLY)
        let error = #expect(throws: JoinError.self) { try JoinFile.read(descriptor: zeros) }
        #expect(error?.description.contains("more than 16384 bytes") == true)
        close(zeros)
    }

    @Test(
        "hostile contents are refused with the line, and never with the key",
        arguments: [
            ("", "first line"), ("\n", "first line"), ("GET / HTTP/1.1\n", "first line"),
            ("muster-join 2\n", "another version"), ("muster-join 1\n", "no \"address\""),
            ("muster-join 1\naddress a b\n", "line 2"), ("muster-join 1\naddress \n", "line 2"),
            ("muster-join 1\naddress a\nport 0\n", "there is no \"role\""),
            ("muster-join 1\nkey \(secret)\n", "no \"address\""),
            ("muster-join 1\nkey \(secret)\nkey \(secret)\n", "line 3: a second"),
            ("muster-join 1\nkey\(secret)\n", "line 2"), ("muster-join 1\n\(secret) \(secret)\n", "unknown word"),
            ("muster-join 1\n\n", "line 2"),
        ])
    func hostile(text: String, words: String) {
        let error = #expect(throws: JoinError.self) { try JoinFile(secretText: Array(text.utf8)) }
        #expect(error?.code == .badFile)
        #expect(error?.description.contains(words) == true, "\(String(describing: error))")
        #expect(error?.description.contains(secret) == false)
    }

    @Test(
        "each value is checked",
        arguments: [
            ("agent", "driver", "role"), ("5f0c9d", "5f0c9", "build"), ("5f0c9d", "5f0cxx", "build"),
            ("1796000000", "soon", "expires"), ("43121", "0", "port"), ("43121", "65536", "port"),
            ("43121", "-1", "port"), ("43121", "99999999999999999999", "port"), ("launch-7", "launch 7", "identity"),
            (secret, "0011223", "key"), (secret, "", "key"), (secret, secret + "zz", "key"),
            (secret, String(repeating: "00", count: 257), "key"),
        ])
    func values(good: String, bad: String, word: String) throws {
        let text = try sample().secretText.split(separator: good, maxSplits: 1, omittingEmptySubsequences: false)
            .joined(separator: bad)
        let error = #expect(throws: JoinError.self) { try JoinFile(secretText: Array(text.utf8)) }
        #expect(error?.description.contains("no valid \"\(word)\"") == true, "\(String(describing: error))")
        #expect(error?.description.contains(secret) == false)
    }

    @Test("what can't be read back is not made")
    func unfit() throws {
        let launch = try sample().launch
        for addresses in [[], [""], ["a b"], ["a\nkey 00"], [String](repeating: "a", count: 33)] {
            #expect(throws: JoinError.self) {
                try JoinFile(addresses: addresses, port: 1, launch: launch, buildID: [], expiry: 0)
            }
        }
        for port in [0, -1, 65_536] {
            #expect(throws: JoinError.self) {
                try JoinFile(addresses: ["a"], port: port, launch: launch, buildID: [], expiry: 0)
            }
        }
    }

    @Test("bytes that are no text, NULs and thousands of addresses are refused")
    func bytes() {
        #expect(throws: JoinError.self) { try JoinFile(secretText: [0xff, 0xfe]) }
        let many = "muster-join 1\n" + String(repeating: "address a\n", count: 33)
        #expect(throws: JoinError.self) { try JoinFile(secretText: Array(many.utf8)) }
        #expect(throws: JoinError.self) { try JoinFile(secretText: [UInt8](repeating: 10, count: 16_385)) }
        #expect(throws: JoinError.self) { try JoinFile(secretText: Array("muster-join 1\naddress a\0b\n".utf8)) }
    }

    @Test("a join file's description has no key")
    func description() throws {
        var dumped = ""
        dump(try sample(), to: &dumped)
        for text in ["\(try sample())", String(reflecting: try sample()), dumped] {
            #expect(!text.contains(secret) && !text.contains("17, 34, 51") && !text.contains("- 17"))
        }
    }
}
