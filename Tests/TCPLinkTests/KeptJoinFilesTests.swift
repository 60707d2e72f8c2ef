import Glibc
import Testing

@testable import TCPLink

@Suite("Join files that end with their process")
struct KeptJoinFilesTests {
    private func sample() throws -> JoinFile {
        let identity = try #require(LaunchIdentity("launch-7"))
        return try JoinFile(
            addresses: ["127.0.0.1"], port: 9009,
            launch: LaunchKeys.Launch(identity: identity, key: .random(), role: .agent), buildID: [1],
            expiry: 1_796_000_000)
    }

    private func withPlace(_ body: (String) throws -> Void) rethrows {
        var name = Array("/tmp/muster-kept-XXXXXX".utf8CString)
        unsafe mkdtemp(&name)
        let path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer {
            for file in ["join-1", "join-2", "other", "join-empty", "join-text"] { unsafe unlink("\(path)/\(file)") }
            unsafe rmdir(path)
        }
        try body(path)
    }

    private func isThere(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

    @Test("those that nobody keeps are removed, and no others")
    func abandoned() throws {
        try withPlace { place in
            try KeptJoinFiles.write(sample(), to: "\(place)/join-1")
            try sample().write(to: "\(place)/join-2")  // as a driver that was killed leaves it
            try sample().write(to: "\(place)/other")
            for (name, text) in [("join-empty", ""), ("join-text", "something of the user's")] {
                let file = unsafe open("\(place)/\(name)", O_WRONLY | O_CREAT, 0o600)
                _ = unsafe write(file, text, text.utf8.count)
                close(file)
            }
            KeptJoinFiles.removeAbandoned(in: place)
            #expect(!isThere("\(place)/join-2"))
            for name in ["join-1", "other", "join-empty", "join-text"] {
                #expect(isThere("\(place)/\(name)"), "\(name)")
            }
            KeptJoinFiles.remove("\(place)/join-1")
            #expect(!isThere("\(place)/join-1"))
        }
    }

    @Test("one of a driver that was killed gives way; one that is kept, or is none, does not")
    func replacement() throws {
        try withPlace { place in
            let path = "\(place)/join-1"
            try sample().write(to: path)
            let mine = try sample()
            try KeptJoinFiles.write(mine, to: path)
            #expect(try JoinFile.read(from: path) == mine)
            #expect(throws: JoinError.self) { try KeptJoinFiles.write(sample(), to: path) }
            #expect(try JoinFile.read(from: path) == mine)
            KeptJoinFiles.remove(path)
            KeptJoinFiles.remove(path)
        }
    }

    @Test("one that has come under the name of a kept one is not removed")
    func other() throws {
        try withPlace { place in
            let path = "\(place)/join-1"
            try KeptJoinFiles.write(sample(), to: path)
            #expect(unsafe rename(path, "\(place)/other") == 0)
            let mine = try sample()
            try mine.write(to: path)
            KeptJoinFiles.remove(path)
            #expect(try JoinFile.read(from: path) == mine)
        }
    }

    @Test("a secret that was mounted may be behind a link, and others may read it, but not change it")
    func secrets() throws {
        try withPlace { place in
            let mine = try sample()
            try mine.write(to: "\(place)/other")
            _ = unsafe chmod("\(place)/other", 0o444)
            unsafe symlink("other", "\(place)/join-1")
            #expect(try JoinFile.read(secret: "\(place)/join-1") == mine)
            #expect(throws: JoinError.self) { try JoinFile.read(from: "\(place)/join-1") }
            _ = unsafe chmod("\(place)/other", 0o664)
            #expect(throws: JoinError.self) { try JoinFile.read(secret: "\(place)/join-1") }
            #expect(throws: JoinError.self) { try JoinFile.read(secret: place) }
        }
    }
}
