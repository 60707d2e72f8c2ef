import Glibc
import NIOCore
import Transport

extension Listener {
    /// Waits for the driver of a launch whose processes listen themselves: for hosts that can't reach the driver's.
    ///
    /// The proof and the limits on strangers are those of a listener of the driver's. One driver is let in, the first that
    /// has the key and says that it is a driver, of this build, and looks for what this process is; then nobody is
    /// listened to any more. A key proves that somebody has it, not which side they are on: so it is for this process
    /// alone, and no other may be given it.
    ///
    /// - Parameters:
    ///   - file: A join file with `direction listen`: where to listen, and the key.
    ///   - buildID: This process's.
    ///   - options: Its address and port are not used.
    ///   - patience: How long to wait; until the file expires by this host's clock unless told.
    ///   - onListening: Is told the port as soon as it is listened on, for where the file leaves it open.
    /// - Returns: The port, and a link, not started yet.
    /// - Throws: ``JoinError/Code/notReached`` if nobody came in time, ``JoinError/Code/cannotListen``,
    ///   ``JoinError/Code/badFile`` if the file is for a process that dials, or has expired,
    ///   ``JoinError/Code/unfitKey``.
    package static func awaitDriver(
        _ file: JoinFile, buildID: [UInt8], options: Options = Options(), within patience: Duration? = nil,
        onListening: @Sendable (Int) -> Void = { _ in }
    ) async throws(JoinError) -> (port: Int, link: TCPLink) {
        guard file.direction == .listen else {
            throw JoinError(
                .badFile,
                """
                the join file is for a process that dials its driver, not for one that waits for it: \
                have the driver write one with "direction listen"
                """)
        }
        let patience = patience ?? .seconds(file.expiry - time(nil))
        guard patience > .zero else {
            throw JoinError(
                .badFile, "by this host's clock the join file has expired: have the driver write a new one")
        }
        var options = options
        options.port = file.port
        // A driver, or why there is none: whichever is first.
        let arrival = Eventual<Result<TCPLink, JoinError>>()
        // Before anybody can come: whom the listener does not know it tells that the key is wrong.
        let listener = try await start(
            options, at: file.addresses.map { ListenAddress($0) }, .listen, buildID: buildID,
            expecting: (file.launch, patience),
            onJoin: { if !arrival.fulfil(.success($0.link)) { $0.link.close() } })
        let loop = options.threads.next()
        let deadline = loop.scheduleTask(in: .nanoseconds(Int64(min(patience.seconds, 1e9) * 1e9))) {
            _ = arrival.fulfil(.failure(listener.noDriver(after: patience)))
        }
        onListening(listener.port)
        let result = await withTaskCancellationHandler {
            await arrival.get()
        } onCancel: {
            arrival.fulfil(.failure(JoinError(.notReached, "waiting for the driver was cancelled")))
        }
        deadline.cancel()
        await listener.close()
        return (listener.port, try result.get())
    }

    private func noDriver(after patience: Duration) -> JoinError {
        Listener.noDriver(at: addresses, port: port, after: patience, refusals)
    }

    /// That nobody who was let in has come.
    static func noDriver(
        at addresses: [String], port: Int, after patience: Duration, _ refusals: [Refusal: Int]
    ) -> JoinError {
        let kinds = refusals.sorted { ($1.value, $0.key.rawValue) < ($0.value, $1.key.rawValue) }
            .map { "\($0.key.rawValue): \($0.value)" }
        return JoinError(
            .notReached,
            """
            no driver has come to \(addresses.joined(separator: ", ")) port \(port) in \(patience); \
            \(kinds.isEmpty ? "nobody has" : "others came (\(kinds.joined(separator: ", ")))"). \
            See that the driver dials an address that leads here, with the same join file
            """)
    }
}
