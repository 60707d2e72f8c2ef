import Glibc
package import NIOCore
import Transport

/// Joins a driver, or as one reaches a process that listens: tries the addresses where the other side may be, proves both
/// sides to each other, and says what this process is.
package enum Dialer {
    /// How dialling differs from the usual.
    package struct Options: Sendable {
        /// How long an address is tried alone before the next one is tried as well; 250 ms unless told.
        package var headStart = Duration.milliseconds(250)
        /// How long to try in all; 30 s unless told.
        package var patience = Duration.seconds(30)
        /// What the link is like.
        package var links = LinkSettings()
        /// Where the link is served.
        package var threads: any EventLoopGroup = NetworkThreads.shared

        /// The usual.
        package init() {}
    }

    /// Joins the driver that a join file is from.
    ///
    /// - Parameter buildID: This process's.
    /// - Returns: A link, not started yet.
    /// - Throws: As ``join(_:port:as:buildID:options:)``.
    package static func join(
        _ file: JoinFile, buildID: [UInt8], options: Options = Options()
    ) async throws(JoinError) -> TCPLink {
        guard file.direction == .dial else {
            throw JoinError(
                .badFile,
                """
                the join file is for a process that waits for its driver, not for one that dials: \
                have the driver write one without "direction listen"
                """)
        }
        do throws(JoinError) {
            return try await dial(
                DialPlan(
                    targets: file.addresses.map { ($0, file.port) }, direction: .dial, launch: file.launch,
                    buildID: buildID, options: options, isByFile: true))
        } catch {
            guard error.code == .notProven, time(nil) >= file.expiry else { throw error }
            throw JoinError(
                .notProven, "\(error). By this host's clock the join file has expired: have the driver write a new one."
            )
        }
    }

    /// Joins the driver at one of several addresses.
    ///
    /// An address that is only slow does not hold up the next ones; the first that proves to have the key is taken. A
    /// connection that is cut off before is tried again, because a listener whose places are taken by strangers does that.
    ///
    /// - Parameters:
    ///   - addresses: Numeric ones or names, at least one.
    ///   - launch: The key, its name, and what this process joins as.
    /// - Returns: A link, not started yet.
    /// - Throws: ``JoinError/Code/notReached`` and ``JoinError/Code/notProven`` with what happened at each address,
    ///   ``JoinError/Code/refused`` with the driver's reason, ``JoinError/Code/unfitKey``.
    package static func join(
        _ addresses: [String], port: Int, as launch: LaunchKeys.Launch, buildID: [UInt8], options: Options = Options()
    ) async throws(JoinError) -> TCPLink {
        try await dial(
            DialPlan(
                targets: addresses.map { ($0, port) }, direction: .dial, launch: launch, buildID: buildID,
                options: options))
    }

    /// Reaches a process that was called up and listens for its driver, see ``Listener/awaitDriver(_:buildID:options:within:onListening:)``:
    /// the other way round, with the same proof.
    ///
    /// It may take its time to start: until the patience is over, addresses where nobody listens yet are tried again.
    ///
    /// - Parameters:
    ///   - addresses: Numeric ones or names, at least one.
    ///   - launch: The key, its name, and what the other process is.
    /// - Returns: A link, not started yet.
    /// - Throws: As ``join(_:port:as:buildID:options:)``.
    package static func reach(
        _ addresses: [String], port: Int, _ launch: LaunchKeys.Launch, buildID: [UInt8], options: Options = Options()
    ) async throws(JoinError) -> TCPLink {
        try await dial(
            DialPlan(
                targets: addresses.map { ($0, port) }, direction: .listen, launch: launch, buildID: buildID,
                options: options))
    }

    private static func dial(_ plan: DialPlan) async throws(JoinError) -> TCPLink {
        precondition(!plan.targets.isEmpty, "there is an address to dial")
        let loop = plan.options.threads.next()
        let promise = loop.makePromise(of: TCPLink.self)
        let dialling = loop.submit { NIOLoopBound(Dialling(plan, loop, promise), eventLoop: loop) }
        do {
            return try await withTaskCancellationHandler {
                dialling.whenSuccess { $0.value.begin() }
                return try await promise.futureResult.get()
            } onCancel: {
                dialling.whenSuccess { $0.value.cancel() }
            }
        } catch {
            throw error as? JoinError ?? JoinError(.notReached, Reason.words(error))
        }
    }
}

/// What is dialled, and how.
struct DialPlan: Sendable {
    let targets: [(host: String, port: Int)]
    let direction: JoinDirection
    let launch: LaunchKeys.Launch
    let buildID: [UInt8]
    let options: Dialer.Options
    /// Whether it is a join file that says all this, so that another one may help.
    var isByFile = false

    /// What this side and the other one are.
    var own: Party { direction.parties(launch.role).dialling }
    var other: Party { direction.parties(launch.role).listening }

    /// A target for people.
    func name(_ index: Int) -> String {
        let (host, port) = targets[index]
        return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
