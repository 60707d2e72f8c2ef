// What a body can ask about itself. In a body that does not suspend this is known to its thread, in another one to its task: what
// such a body starts on other threads asks before and passes the answer on.
extension Worker {
    /// Place of the element in the map's input, from 0; in a body of `pmapBatches` that of the first of the batch, `nil` in a body
    /// without an element and outside of one.
    ///
    /// - Complexity: Some nanoseconds.
    public static var index: Int? { RunningBody.current?.index }

    /// Which attempt at the element this is, from 1: it counts errors, deadlines that passed, and workers that ended while they
    /// had the element. 1 outside of a map.
    public static var attempt: Int { RunningBody.current?.attempt ?? 1 }

    /// The random numbers of this element of this map, from the first on: begun anew by each access.
    ///
    /// ```swift
    /// try await cluster.pmap(0..<10) { _ in
    ///     var random = Worker.random
    ///     return (Int.random(in: 1...6, using: &random), Int.random(in: 1...6, using: &random))
    /// }
    /// ```
    ///
    /// They depend on the map's seed and the element's place in the input, on nothing else: not on workers, batches or attempts. A
    /// map that is given no seed has one that depends on the cluster's seed and how many maps were begun before; so a program that
    /// does the same twice draws the same numbers. A call has a seed in the same way. Outside of a body always the same
    /// numbers.
    public static var random: ElementRandom { random(at: 0) }

    /// The random numbers of the element that lies `offset` places after ``index``; for bodies of `pmapBatches`, which have
    /// several at once.
    public static func random(at offset: Int) -> ElementRandom {
        let body = RunningBody.current
        return ElementRandom(seed: body?.seed ?? 0, index: (body?.index ?? 0) &+ offset)
    }

    /// Whether the body should end soon: nobody waits for its result any more, its deadline has passed, or it was interrupted.
    ///
    /// What it returns or throws then matters only if it was interrupted. A body that does not suspend and does not end either
    /// costs its worker some time later: see `withCluster(cancellationGrace:)`.
    ///
    /// - Complexity: Some nanoseconds.
    public static var isCancelled: Bool { RunningBody.current?.isCancelled == true || Task.isCancelled }
}
