import Transport

/// Whose turn it is, of submissions of which only some may be on their way at a time.
struct SubmissionTurns: Sendable {
    private let turns: [Eventual<Void>]
    private let atOnce: Int

    /// - Parameter atOnce: Most that may be on their way, at least 1; all if `nil`.
    init(_ count: Int, atOnce: Int?) {
        turns = (0..<count).map { _ in Eventual() }
        self.atOnce = atOnce ?? count
        advance(arrived: 0)
    }

    /// Whether a submission has had its turn.
    func has(_ index: Int) -> Bool { turns[index].value != nil }

    /// Waits for the turn of a submission.
    func turn(_ index: Int) async { await turns[index].get() }

    /// So many have arrived, or will not any more.
    func advance(arrived: Int) { for turn in turns.prefix(arrived + atOnce) { turn.fulfil(()) } }

    /// Nobody waits any more.
    func open() { advance(arrived: turns.count) }
}
