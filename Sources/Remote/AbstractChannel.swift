/// A channel of a kind of one's own, which a process has and others put into and take from: `remoteChannel(on:) { MyChannel() }`.
///
/// Several tasks use it at the same time.
public protocol AbstractChannel<Element>: Sendable {
    /// What goes through it.
    associatedtype Element: Sendable

    /// Puts a value in; waits where there is no place.
    func put(_ value: Element) async throws
    /// Takes a value out; waits until there is one.
    func take() async throws -> Element
    /// Waits for a value, and leaves it where it is.
    func fetch() async throws -> Element
    /// Whether there is something to take.
    var isReady: Bool { get async throws }
    /// Accepts no more values.
    func close() async throws
}

/// A channel as the table of its process has it, whatever its kind.
protocol ServedChannel: AnyObject, Sendable {
    /// Does what somebody asks, and answers it once, now or later.
    func serve(_ verb: ReferenceVerb, _ payload: StoredValue, limit: Int, for asker: ReferenceAsker)
    /// A value came for which its sender was allowed a place.
    func putAllowed(_ value: StoredValue, from process: Int)
    /// A process gives back places that it was allowed.
    func giveBack(_ places: Int, from process: Int)
    /// A value that its taker did not want any more comes back.
    func putBack(_ value: StoredValue)
    /// Somebody wants no answer any more.
    func cancel(_ asker: ReferenceAsker)
    /// A process has no reference any more, as far as its owner has heard.
    func leave(_ process: Int)
    /// A process has ended.
    func forget(_ process: Int)
    /// Whoever waits is told that it waits in vain.
    func end(_ error: ReferenceError)
}
