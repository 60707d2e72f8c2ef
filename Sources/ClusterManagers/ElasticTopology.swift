import Agent

/// Who of an elastic cluster talks to whom.
public struct ElasticTopology: Hashable, Sendable {
    private enum Kind { case driverWorker, allToAll }
    private let kind: Kind

    /// Each host has one link, to the driver. Julia calls it `:master_worker`.
    public static let driverWorker = ElasticTopology(kind: .driverWorker)
    /// Each worker has a link to each other one. It is refused: in Muster what workers say to each other goes by their driver,
    /// so that workers need not reach each other, and never listen.
    public static let allToAll = ElasticTopology(kind: .allToAll)

    func check() throws(LaunchError) {
        guard kind == .driverWorker else {
            throw LaunchError(
                "workers have links to their driver alone and never listen, so that topology: .allToAll can't be had; leave it out"
            )
        }
    }
}
