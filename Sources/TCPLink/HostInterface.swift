/// A network interface of a host, as a value.
package struct HostInterface: Hashable, Sendable {
    /// What the system calls it: `eth0`.
    package let name: String
    /// Its addresses, in the system's order.
    package let addresses: [NumericAddress]
    /// Whether it is switched on and has something at its other end.
    package let isUp: Bool
    /// Whether it leads nowhere but to this host.
    package let isLoopback: Bool
    /// Whether what is meant for anywhere leaves through it.
    package let isDefaultRoute: Bool

    /// Describes an interface.
    package init(
        _ name: String, _ addresses: [NumericAddress], isUp: Bool = true, isLoopback: Bool = false,
        isDefaultRoute: Bool = false
    ) {
        self.name = name
        self.addresses = addresses
        self.isUp = isUp
        self.isLoopback = isLoopback
        self.isDefaultRoute = isDefaultRoute
    }

    /// Whether it only joins this host's own containers and virtual machines, going by its name.
    ///
    /// One that carries the default route doesn't: hosts of virtual machines have their own address on a bridge.
    package var isForContainers: Bool {
        guard !isDefaultRoute else { return false }
        return HostInterface.containerPrefixes.contains { name.hasPrefix($0) }
    }

    /// Addresses that other hosts may use without being told an interface.
    package var usableAddresses: [NumericAddress] { addresses.filter { !$0.isLinkLocal && !$0.isUnspecified } }

    /// Docker, Podman, LXC, libvirt, and the usual network plugins of Kubernetes.
    private static let containerPrefixes = [
        "docker", "br-", "veth", "podman", "cni", "lxc", "lxd", "virbr", "vnet", "flannel", "cali", "cilium", "kube",
        "nodelocaldns", "weave", "tunl", "antrea",
    ]
}

extension HostInterface: CustomStringConvertible {
    /// For errors: its name, and its addresses or what it lacks.
    package var description: String {
        let texts = usableAddresses.map(\.description)
        let what = texts.isEmpty ? "no address" : texts.joined(separator: ", ")
        return isUp ? "\(name) (\(what))" : "\(name) (\(what), down)"
    }
}
