import Glibc
package import NIOCore
import Transport

/// Joins a driver: tries the addresses where it may be, proves both sides to each other, and says what this process is.
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
        do throws(JoinError) {
            return try await join(file.addresses, port: file.port, as: file.launch, buildID: buildID, options: options)
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
        precondition(!addresses.isEmpty, "there is an address to dial")
        let loop = options.threads.next()
        let promise = loop.makePromise(of: TCPLink.self)
        let plan = DialPlan(
            targets: addresses.map { ($0, port) }, launch: launch, buildID: buildID, options: options)
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
    let launch: LaunchKeys.Launch
    let buildID: [UInt8]
    let options: Dialer.Options

    /// A target for people.
    func name(_ index: Int) -> String {
        let (host, port) = targets[index]
        return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
