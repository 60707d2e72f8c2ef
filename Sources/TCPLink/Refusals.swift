/// Why somebody was turned away. For the driver's user, never for who was turned away before the proof.
///
/// The words stand before a number, whatever that is: "another build: 1".
package enum Refusal: String, Hashable, Sendable, CaseIterable {
    /// It went away, or was closed, without having said anything.
    case silent = "said nothing"
    /// Its first bytes were no TLS: an HTTP request, say.
    case notTLS = "no TLS"
    /// It did not prove itself in time.
    case tooSlow = "too slow"
    /// It had to make room for another.
    case crowdedOut = "made room for others"
    /// The handshake failed for another reason than the ones below.
    case failedHandshake = "failed handshake"
    /// It named a valid launch, and did not have its key.
    case wrongKey = "wrong key"
    /// It named no launch that was ever expected.
    case unknownLaunch = "unknown launch"
    /// The launch's time is over.
    case expiredLaunch = "too late (expired)"
    /// All processes of the launch have joined.
    case usedUpLaunch = "too late (all had joined)"
    /// The launch was taken back: by the driver's user, or because its time was over.
    case revokedLaunch = "too late"
    /// It proved itself and then did not say what it is as a process of ours would.
    case badGreeting = "no introduction"
    /// It speaks another version of the protocol.
    case wrongVersion = "another protocol version"
    /// Its launch was for another role.
    case wrongRole = "another role"
    /// It is another build of the program.
    case wrongBuild = "another build"
}

extension Refusal {
    /// The refusal for a launch that is over or never was.
    init(_ denial: LaunchKeys.Denial) {
        self =
            switch denial {
            case .unknown: .unknownLaunch
            case .expired: .expiredLaunch
            case .usedUp: .usedUpLaunch
            case .revoked: .revokedLaunch
            }
    }
}

/// Counts refusals by kind, and says how many there were, at most once a second.
package struct RefusalCounter: Sendable {
    /// Seconds between two lines.
    package static let seconds = 1.0

    /// All refusals so far.
    package private(set) var counts: [Refusal: Int] = [:]
    private var untold: [Refusal: Int] = [:]
    private var lastSource = ""
    private var lastLine = -Double.infinity

    /// None so far.
    package init() {}

    /// Counts one.
    ///
    /// - Parameter source: The address it came from, for the next line.
    package mutating func count(_ refusal: Refusal, from source: String) {
        counts[refusal, default: 0] += 1
        untold[refusal, default: 0] += 1
        lastSource = source
    }

    /// When a line may be taken; nil if there is nothing to tell.
    package var nextLine: Double? { untold.isEmpty ? nil : lastLine + RefusalCounter.seconds }

    /// What happened since the last line; nil if there is nothing to tell, or the last line was just now.
    package mutating func takeLine(at now: Double) -> String? {
        guard let nextLine, now >= nextLine else { return nil }
        let kinds = Refusal.allCases.compactMap { kind in untold[kind].map { "\(kind.rawValue): \($0)" } }
        let total = untold.values.reduce(0, +)
        untold = [:]
        lastLine = now
        return """
            refused \(total) connection\(total == 1 ? "" : "s"), the last from \(lastSource): \
            \(kinds.joined(separator: ", "))
            """
    }
}
