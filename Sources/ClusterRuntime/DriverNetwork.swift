package import Transport

/// The address at which other hosts reach a driver.
public struct NetworkAddress: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    package enum Kind: Hashable, Sendable {
        case loopback, automatic
        case interface(String)
        case address(String)
    }

    package let kind: Kind

    /// Only processes of this host can connect.
    public static let loopback = NetworkAddress(kind: .loopback)
    /// The private addresses of one interface, the default route's first (RFC 1918, fc00::/7), IPv4 and IPv6 where it has
    /// both: hosts need to reach one of them.
    public static let automatic = NetworkAddress(kind: .automatic)
    /// That of a network interface of this host, such as `eth0`.
    public static func interface(_ name: String) -> NetworkAddress { NetworkAddress(kind: .interface(name)) }
    /// This numeric address of this host; `0.0.0.0` and `::` stand for all that it has.
    public static func address(_ text: String) -> NetworkAddress { NetworkAddress(kind: .address(text)) }

    /// A numeric address, such as `"10.0.0.7"`.
    public init(stringLiteral text: String) { self = .address(text) }

    private init(kind: Kind) { self.kind = kind }

    /// The choice in words.
    public var description: String {
        switch kind {
        case .loopback: "the loopback address"
        case .automatic: "this host's private address"
        case .interface(let name): "the address of interface \(name)"
        case .address(let text): text
        }
    }
}

/// How hosts reach this driver: made by what carries links between hosts, and handed in.
package protocol DriverNetwork: Sendable {
    /// Listens, or goes on listening where it does already.
    ///
    /// - Parameter port: 0 for any.
    func listen(at address: NetworkAddress, port: Int) async throws -> any DriverPort

    /// Prepares for an agent that listens itself, and is dialled by this driver.
    ///
    /// - Parameters:
    ///   - addresses: Where it is to listen: numeric addresses, or names of its interfaces.
    ///   - port: 0 for any, which it then says.
    func summon(at addresses: [String], port: Int, for limit: Duration) throws -> any DriverSummons

    /// Listens no more; links that there are go on.
    func close() async
}

/// A port at which this driver listens.
package protocol DriverPort: Sendable {
    /// Its number.
    var port: Int { get }
    /// Where hosts find it, in the order in which they should try.
    var addresses: [String] { get }

    /// Expects agents.
    ///
    /// - Parameters:
    ///   - joins: How many may come.
    ///   - key: A key that the user chose; random unless given.
    ///   - onJoin: Is given each that has proven itself: its link, not started yet, its address, which is `nil` where others
    ///     can't reach it there, and how many may still come.
    func invite(
        _ joins: Int, for limit: Duration, key: [UInt8]?,
        onJoin: @escaping @Sendable (_ link: any Link, _ address: String?, _ remaining: Int) -> Void
    ) throws -> any DriverInvitation
}

/// What agents need in order to join: a secret.
package protocol DriverInvitation: Sendable {
    /// The text of a join file, with the key in it.
    ///
    /// - Parameters:
    ///   - addresses: In place of the driver's own: the near end of a tunnel.
    ///   - port: Likewise.
    func secretText(addresses: [String]?, port: Int?) throws -> [UInt8]

    /// Writes a new join file that only this user can read.
    func write(to path: String) throws

    /// Removes the file that ``write(to:)`` made.
    func remove(_ path: String)

    /// Whether as many have joined as may.
    var isUsedUp: Bool { get }

    /// Nobody joins with it any more.
    func revoke()
}

/// What one agent needs in order to listen for this driver: a secret of its own.
package protocol DriverSummons: Sendable {
    /// The text of a join file, with the key in it.
    func secretText() throws -> [UInt8]

    /// Writes a new join file that only this user can read.
    func write(to path: String) throws

    /// Removes the file that ``write(to:)`` made.
    func remove(_ path: String)

    /// Dials the agent, again and again until it listens.
    ///
    /// - Returns: A link, not started yet.
    func reach(_ addresses: [String], port: Int, within patience: Duration) async throws -> any Link
}
