#if Network
    import Agent
    import ClusterRuntime
    import Glibc
    import Machine
    import Remote
    import Synchronization
    import TCPLink
    import Transport

    /// The links between a driver and other hosts: TCP and TLS, proven by a key of each launch.
    final class TLSNetwork: DriverNetwork {
        private struct Place: Hashable {
            let address: NetworkAddress
            let port: Int
        }

        /// `nil` once it is closed.
        private let ports = Mutex<[Place: TLSPort]?>([:])

        func listen(at address: NetworkAddress, port: Int) async throws -> any DriverPort {
            let place = Place(address: address, port: port)
            if let known = ports.withLock({ $0?[place] }) { return known }
            let made = try await TLSPort(at: address, port: port)
            // Another may have been as quick, or the end.
            let known = ports.withLock { ports -> TLSPort? in
                if let known = ports?[place] { return known }
                ports?[place] = made
                return ports == nil ? nil : made
            }
            if known !== made { await made.close() }
            guard let known else { throw ClusterError.closed }
            return known
        }

        func summon(at addresses: [String], port: Int, for limit: Duration) throws -> any DriverSummons {
            let launch = LaunchKeys.Launch(identity: .random(), key: .random(), role: .agent)
            return TLSSummons(
                file: try JoinFile(
                    addresses: addresses, port: port, launch: launch, buildID: BuildID.current.bytes,
                    expiry: time(nil) + Int(limit.seconds.rounded(.up)), direction: .listen))
        }

        func close() async {
            let ports = ports.withLock { ports in
                defer { ports = nil }
                return ports.map { Array($0.values) } ?? []
            }
            for port in ports { await port.close() }
            // What workers of other hosts have printed, before the program goes on, or ends.
            await Printer.flush()
        }
    }

    /// A listener, and who is expected at it.
    private final class TLSPort: DriverPort {
        private typealias Handler = @Sendable (_ link: any Link, _ address: String?, _ remaining: Int) -> Void

        private let listener: Listener
        private let expected: Expected

        /// What becomes of who joins.
        private final class Expected: Sendable {
            /// What becomes of those of a launch.
            private struct Launch {
                let handler: Handler
                /// How many more may come.
                var left: Int

                /// Counts one, here and not at the door: peers come on several threads, and who was let in last may come first.
                mutating func delivery(of peer: JoinedPeer) -> @Sendable () -> Void {
                    left -= 1
                    return { [handler, left] in handler(peer.link, peer.address, left) }
                }
            }

            private struct State {
                var launches: [LaunchIdentity: Launch] = [:]
                var joinCount = 0
                var isTold = false
                /// Those who were quicker than the note of what becomes of them.
                var early: [LaunchIdentity: [JoinedPeer]] = [:]
                /// Those of which as many have come as may.
                var complete: Set<LaunchIdentity> = []
                /// Those of whom nobody wants to know any more.
                var forgotten: Set<LaunchIdentity> = []

                mutating func delivery(of peer: JoinedPeer) -> (@Sendable () -> Void)? {
                    guard let delivery = launches[peer.identity]?.delivery(of: peer) else { return nil }
                    if launches[peer.identity]?.left == 0 {
                        launches[peer.identity] = nil
                        complete.insert(peer.identity)
                    }
                    return delivery
                }
            }

            private let state = Mutex(State())

            /// Sees to it that more can come: strangers that have not been turned away yet among them.
            func makeRoom() {
                guard let problem = OpenFiles.makeRoom(forLinks: 256 + Expected.stride) else { return }
                let isNew = state.withLock { state in
                    defer { state.isTold = true }
                    return !state.isTold
                }
                if isNew { Printer.notice(problem) }
            }

            /// Joins from one look at the open files to the next.
            private static let stride = 64

            func came(_ peer: JoinedPeer) {
                let isTime = state.withLock { state in
                    state.joinCount += 1
                    return state.joinCount % Expected.stride == 0
                }
                if isTime { makeRoom() }
                let (deliver, isForgotten) = state.withLock { state -> ((@Sendable () -> Void)?, Bool) in
                    if state.forgotten.contains(peer.identity) { return (nil, true) }
                    let delivery = state.delivery(of: peer)
                    if delivery == nil { state.early[peer.identity, default: []].append(peer) }
                    return (delivery, false)
                }
                // Its proof was under way when its launch was taken back.
                if isForgotten { peer.link.close() }
                deliver?()
            }

            func expect(_ joins: Int, _ identity: LaunchIdentity, _ handler: @escaping Handler) {
                let deliveries = state.withLock { state in
                    state.launches[identity] = Launch(handler: handler, left: joins)
                    let early = state.early.removeValue(forKey: identity) ?? []
                    return early.compactMap { state.delivery(of: $0) }
                }
                for deliver in deliveries { deliver() }
            }

            func isComplete(_ identity: LaunchIdentity) -> Bool { state.withLock { $0.complete.contains(identity) } }

            func forget(_ identity: LaunchIdentity) {
                state.withLock { state in
                    // What is said of it last is kept: it is small, and there are not many.
                    state.launches[identity] = nil
                    state.forgotten.insert(identity)
                }
            }
        }

        init(at address: NetworkAddress, port: Int) async throws {
            var options = Listener.Options()
            options.address = ListenAddress(address)
            options.port = port
            options.log = { Printer.notice($0) }
            let expected = Expected()
            self.expected = expected
            expected.makeRoom()
            listener = try await Listener.start(options, buildID: BuildID.current.bytes) { expected.came($0) }
        }

        var port: Int { listener.port }
        var addresses: [String] { listener.addresses }

        func invite(
            _ joins: Int, for limit: Duration, key: [UInt8]?,
            onJoin: @escaping @Sendable (_ link: any Link, _ address: String?, _ remaining: Int) -> Void
        ) throws -> any DriverInvitation {
            let key = try key.map { bytes throws(JoinError) in try LaunchKey(bytes) } ?? .random()
            let launch = try listener.expect(.agent, joins: joins, for: limit, key: key)
            expected.expect(joins, launch.identity, onJoin)
            return TLSInvitation(
                launch: launch, addresses: addresses, port: port, expiry: time(nil) + Int(limit.seconds.rounded(.up)),
                hasUsedUp: { [expected] in expected.isComplete(launch.identity) }
            ) { [listener, expected] in
                listener.revoke(launch.identity)
                expected.forget(launch.identity)
            }
        }

        func close() async { await listener.close() }
    }

    private struct TLSInvitation: DriverInvitation {
        let launch: LaunchKeys.Launch
        let addresses: [String]
        let port: Int
        let expiry: Int
        let hasUsedUp: @Sendable () -> Bool
        let takeBack: @Sendable () -> Void

        private func file(_ addresses: [String]?, _ port: Int?) throws(JoinError) -> JoinFile {
            try JoinFile(
                addresses: addresses ?? self.addresses, port: port ?? self.port, launch: launch,
                buildID: BuildID.current.bytes, expiry: expiry)
        }

        func secretText(addresses: [String]?, port: Int?) throws -> [UInt8] {
            Array(try file(addresses, port).secretText.utf8)
        }

        func write(to path: String) throws {
            KeptJoinFiles.removeAbandoned(in: RuntimeDirectory.path)
            try KeptJoinFiles.write(try file(nil, nil), to: path)
        }

        func remove(_ path: String) { KeptJoinFiles.remove(path) }
        var isUsedUp: Bool { hasUsedUp() }
        func revoke() { takeBack() }
    }

    private struct TLSSummons: DriverSummons {
        let file: JoinFile

        func secretText() -> [UInt8] { Array(file.secretText.utf8) }
        func write(to path: String) throws { try KeptJoinFiles.write(file, to: path) }
        func remove(_ path: String) { KeptJoinFiles.remove(path) }

        func reach(_ addresses: [String], port: Int, within patience: Duration) async throws -> any Link {
            var options = Dialer.Options()
            options.patience = patience
            return try await Dialer.reach(
                addresses, port: port, file.launch, buildID: BuildID.current.bytes, options: options)
        }
    }

    extension ListenAddress {
        fileprivate init(_ address: NetworkAddress) {
            switch address.kind {
            case .loopback: self = .loopback
            case .automatic: self = .automatic
            case .interface(let name): self = .interface(name)
            case .address(let text): self = .address(text)
            }
        }
    }
#endif
