import Wire

/// The first frame of who joins: what it is.
struct Greeting: Hashable, Sendable {
    /// Version of what follows the proof; both sides must have the same.
    static let currentVersion: UInt32 = 1
    /// Most bytes of a greeting or an answer, which is all that a side sends until both have agreed.
    static let mostBytes = 4096

    var version = Greeting.currentVersion
    /// A ``JoinRole``, by name.
    var role: String
    var buildID: [UInt8]

    /// What is wrong with a greeting.
    ///
    /// - Parameters:
    ///   - role: What its launch was for.
    ///   - buildID: This side's.
    func objection(role: JoinRole, buildID: [UInt8]) -> (kind: Refusal, reason: String)? {
        guard version == Greeting.currentVersion else {
            return (
                .wrongVersion,
                """
                it speaks version \(version) of the protocol, the driver \(Greeting.currentVersion): \
                use the same build on both sides
                """
            )
        }
        guard self.role == role.rawValue else {
            // Who joins may say anything: it is not repeated.
            let claimed = JoinRole(rawValue: self.role)?.rawValue ?? "something unknown"
            return (.wrongRole, "it joins as \(claimed), but its key is for the role \(role.rawValue)")
        }
        guard self.buildID == buildID else {
            return (
                .wrongBuild,
                """
                it is build \(Hexadecimal.text(self.buildID)), the driver \(Hexadecimal.text(buildID)): \
                run the same executable on both sides
                """
            )
        }
        return nil
    }
}

/// The first frame of who listens: whether the other is in.
struct GreetingAnswer: Hashable, Sendable {
    var version = Greeting.currentVersion
    var buildID: [UInt8]
    /// Why not; `nil` if it is in.
    var reason: String?

    /// What who joins has against it.
    ///
    /// - Parameter buildID: This side's.
    func objection(buildID: [UInt8]) -> String? {
        if let reason { return "the driver refuses this process: \(reason)" }
        guard version == Greeting.currentVersion else {
            return "the driver speaks version \(version) of the protocol, this process \(Greeting.currentVersion)"
        }
        guard self.buildID == buildID else {
            return """
                the driver is build \(Hexadecimal.text(self.buildID)), this process \(Hexadecimal.text(buildID)): \
                run the same executable on both sides
                """
        }
        return nil
    }
}

// The version stands first in both, so that any other version can be told.

extension Greeting: WireEncodable, WireDecodable {
    func write(to output: inout WireWriter) { output.write(version, role, buildID) }

    init(from input: inout WireReader) throws(WireError) {
        version = try input.read()
        guard version == Greeting.currentVersion else {
            (role, buildID) = ("", [])
            return
        }
        (role, buildID) = (try input.read(), try input.read())
        guard buildID.count <= 64, role.utf8.count <= 64 else { throw input.invalid("a long greeting") }
    }
}

extension GreetingAnswer: WireEncodable, WireDecodable {
    func write(to output: inout WireWriter) { output.write(version, buildID, reason) }

    init(from input: inout WireReader) throws(WireError) {
        version = try input.read()
        guard version == Greeting.currentVersion else {
            (buildID, reason) = ([], nil)
            return
        }
        (buildID, reason) = (try input.read(), try input.read())
        guard buildID.count <= 64 else { throw input.invalid("a long answer") }
    }
}
