import ClusterRuntime
import Transport

extension KubernetesQueue: DialledQueue {
    func port(for request: JobRequest, on network: any DriverNetwork) -> any DriverPort {
        KubernetesForwards(kubectl: kubectl, request: request, network: network)
    }
}

/// What agents in pods seem to come to, where this process dials them: each through a `kubectl port-forward` of its own.
///
/// An agent listens at its pod's loopback address, where only Kubernetes' own way leads, and has a key for itself alone. A watch,
/// not a question asked again and again, tells which pods run.
struct KubernetesForwards: DriverPort {
    /// Where agents listen; each pod has ports of its own.
    let port = ElasticManager.standardPort
    let addresses = ["127.0.0.1"]

    let kubectl: [String]
    let request: JobRequest
    let network: any DriverNetwork

    func invite(
        _ joins: Int, for limit: Duration, key: [UInt8]?,
        onJoin: @escaping @Sendable (_ link: any Link, _ address: String?, _ remaining: Int) -> Void
    ) throws -> any DriverInvitation {
        let summons = try (0..<joins).map { _ in try network.summon(at: addresses, port: port, for: limit) }
        return KubernetesDialling(self, summons, for: limit, onJoin: onJoin)
    }
}

extension KubernetesQueue {
    /// The port at this end in `Forwarding from 127.0.0.1:44259 -> 9009`; `nil` if it is another line.
    static func forwardedPort(in line: String, to far: Int) -> Int? {
        guard line.hasPrefix("Forwarding from 127.0.0.1:"), line.hasSuffix(" -> \(far)") else { return nil }
        let port = Int(line.dropFirst("Forwarding from 127.0.0.1:".count).dropLast(" -> \(far)".count))
        return port.flatMap { (1...65_535).contains($0) ? $0 : nil }
    }
}
