#if Network
    import Agent
    import Remote
    import Synchronization
    import TCPLink
    import Transport

    /// The links between agents, made when there is something to pass on.
    final class TLSPeers: PeerNetwork {
        /// How long the other host of a pair may take to come.
        private static let patience = Duration.seconds(10)

        private struct Waiting {
            var handlers: [LaunchIdentity: @Sendable (any Link) -> Void] = [:]
            var listener: Task<Listener, any Error>?
        }

        /// This host's, as its driver reaches it.
        private let address: String
        private let waiting = Mutex(Waiting())

        init(_ address: String) { self.address = address }

        func admit(_ secret: PairSecret, onJoin: @escaping @Sendable (any Link) -> Void) async throws -> Int {
            guard let identity = LaunchIdentity(secret.identity) else { throw LinkError.closed }
            let starting = waiting.withLock { waiting in
                waiting.handlers[identity] = onJoin
                if let starting = waiting.listener { return starting }
                let starting = Task { try await listen() }
                waiting.listener = starting
                return starting
            }
            let listener = try await starting.value
            _ = try listener.expect(
                .agent, joins: 1, for: TLSPeers.patience, key: try LaunchKey(secret.key), identity: identity)
            return listener.port
        }

        private func listen() async throws -> Listener {
            var options = Listener.Options()
            options.address = .address(address)
            return try await Listener.start(options, buildID: BuildID.current.bytes) { [self] peer in
                let handler = waiting.withLock { $0.handlers.removeValue(forKey: peer.identity) }
                if let handler { handler(peer.link) } else { peer.link.close() }
            }
        }

        func dial(_ address: String, port: Int, _ secret: PairSecret) async throws -> any Link {
            guard let identity = LaunchIdentity(secret.identity) else { throw LinkError.closed }
            var options = Dialer.Options()
            options.patience = TLSPeers.patience
            // All workers of the host map what arrives.
            options.links.maker = HostBlocks(fallback: HeapBlocks())
            let launch = LaunchKeys.Launch(identity: identity, key: try LaunchKey(secret.key), role: .agent)
            return try await Dialer.join(
                [address], port: port, as: launch, buildID: BuildID.current.bytes, options: options)
        }
    }
#endif
