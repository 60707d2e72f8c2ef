import Wire

/// The first frame of who dials: what it is, and what it takes the other side for.
struct Greeting: Hashable, Sendable {
    /// Version of what follows the proof; both sides must have the same.
    static let currentVersion: UInt32 = 2
    /// Most bytes of a greeting or an answer, which is all that a side sends until both have agreed.
    static let mostBytes = 4096

    var version = Greeting.currentVersion
    /// A ``Party``, by its word.
    var role: String
    /// What the other side has to be.
    var other: String
    var buildID: [UInt8]

    /// - Parameters:
    ///   - party: What this side is.
    ///   - other: What the other side has to be.
    init(_ party: Party, to other: Party, buildID: [UInt8]) {
        (role, self.other, self.buildID) = (party.word, other.word, buildID)
    }

    /// What is wrong with a greeting.
    ///
    /// - Parameters:
    ///   - expected: What may dial.
    ///   - own: What this side is.
    ///   - buildID: This side's.
    func objection(_ expected: Party, to own: Party, buildID: [UInt8]) -> (kind: Refusal, reason: String)? {
        guard version == Greeting.currentVersion else {
            return (
                .wrongVersion,
                """
                it speaks version \(version) of the protocol, the \(own.word) \(Greeting.currentVersion): \
                use the same build on both sides
                """
            )
        }
        guard role == expected.word else {
            let claim = Party.name(ofClaim: role)
            return (.wrongRole, "it joins as \(claim), but its key is for the role \(expected.word)")
        }
        guard other == own.word else {
            return (.wrongRole, "it looks for \(Party.name(ofClaim: other)), but has come to the \(own.word)")
        }
        guard self.buildID == buildID else {
            return (
                .wrongBuild,
                """
                it is build \(Hexadecimal.text(self.buildID)), the \(own.word) \(Hexadecimal.text(buildID)): \
                run the same executable on both sides
                """
            )
        }
        return nil
    }
}

/// The first frame of who listens: what it is, and whether the other is in.
struct GreetingAnswer: Hashable, Sendable {
    var version = Greeting.currentVersion
    /// A ``Party``, by its word.
    var role: String
    var buildID: [UInt8]
    /// Why not; `nil` if it is in.
    var reason: String?

    /// - Parameter party: What this side is.
    init(_ party: Party, buildID: [UInt8], reason: String?) {
        (role, self.buildID, self.reason) = (party.word, buildID, reason)
    }

    /// What who dials has against it.
    ///
    /// - Parameters:
    ///   - expected: What has to listen.
    ///   - buildID: This side's.
    func objection(_ expected: Party, buildID: [UInt8]) -> String? {
        guard version == Greeting.currentVersion else {
            return """
                the \(expected.word) speaks version \(version) of the protocol, this process \
                \(Greeting.currentVersion): use the same build on both sides
                """
        }
        guard role == expected.word else {
            return "it says that it is \(Party.name(ofClaim: role)), where the \(expected.word) should be"
        }
        if let reason { return "the \(expected.word) refuses this process: \(reason)" }
        guard self.buildID == buildID else {
            return """
                the \(expected.word) is build \(Hexadecimal.text(self.buildID)), this process \
                \(Hexadecimal.text(buildID)): run the same executable on both sides
                """
        }
        return nil
    }
}

// The version stands first in both, so that any other version can be told.

extension Greeting: WireEncodable, WireDecodable {
    func write(to output: inout WireWriter) { output.write(version, role, other, buildID) }

    init(from input: inout WireReader) throws(WireError) {
        version = try input.read()
        guard version == Greeting.currentVersion else {
            (role, other, buildID) = ("", "", [])
            return
        }
        (role, other, buildID) = (try input.read(), try input.read(), try input.read())
        guard buildID.count <= 64, role.utf8.count <= 64, other.utf8.count <= 64 else {
            throw input.invalid("a long greeting")
        }
    }
}

extension GreetingAnswer: WireEncodable, WireDecodable {
    func write(to output: inout WireWriter) { output.write(version, role, buildID, reason) }

    init(from input: inout WireReader) throws(WireError) {
        version = try input.read()
        guard version == Greeting.currentVersion else {
            (role, buildID, reason) = ("", [], nil)
            return
        }
        (role, buildID, reason) = (try input.read(), try input.read(), try input.read())
        guard buildID.count <= 64, role.utf8.count <= 64 else { throw input.invalid("a long answer") }
    }
}
