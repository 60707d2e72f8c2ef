import Testing

@testable import ClusterManagers

@Suite("What this process is")
struct OwnProcessTests {
    @Test("a path is one from the root")
    func absolute() throws {
        let directory = try #require(OwnProcess.directory)
        #expect(directory.hasPrefix("/"))
        #expect(OwnProcess.absolute("keys/join") == (directory == "/" ? "/keys/join" : "\(directory)/keys/join"))
        #expect(OwnProcess.absolute("/run/join") == "/run/join" && OwnProcess.absolute("") == "")
    }
}
