/// What a side of a connection is. Both sides say so after the proof, and what they take the other one for: so nobody who
/// has the key of a launch is taken for the driver because the driver was meant, and what somebody says is of no use when
/// it is sent back.
enum Party: Hashable, Sendable {
    /// It calls up workers and gives them work.
    case driver
    /// It has been called up.
    case joining(JoinRole)

    /// How it is told in greetings, and to people.
    var word: String {
        switch self {
        case .driver: "driver"
        case .joining(let role): role.rawValue
        }
    }

    /// What was claimed, if it is anything known: who claims may say anything, which is not repeated.
    static func name(ofClaim word: String) -> String {
        word == Party.driver.word ? word : JoinRole(rawValue: word)?.rawValue ?? "something unknown"
    }
}

/// Which side of a launch's connections listens.
package enum JoinDirection: String, Hashable, Sendable, CaseIterable {
    /// The driver listens; who is called up dials. The usual.
    case dial
    /// Who is called up listens, and the driver dials: for hosts that can't reach the driver's.
    case listen

    /// What the two sides of a connection are.
    func parties(_ role: JoinRole) -> (listening: Party, dialling: Party) {
        switch self {
        case .dial: (.driver, .joining(role))
        case .listen: (.joining(role), .driver)
        }
    }
}
