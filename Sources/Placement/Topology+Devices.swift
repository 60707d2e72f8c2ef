extension Topology {
    /// The device that a user calls `name`; nil if there is none.
    ///
    /// - Parameter name: What the kernel or a driver calls it, its PCI address with or without the domain `0000:`, or its
    ///   kind and number in the order of the list: `gpu0`, `nic1`, `storage0`.
    public func device(named name: String) -> Device? {
        if let device = devices.first(where: { $0.names.contains(name) }) { return device }
        let name = name.lowercased()
        if let device = devices.first(where: { $0.busID == name || $0.busID == "0000:" + name }) { return device }
        for (prefix, kind) in [("gpu", Device.Kind.gpu), ("nic", .network), ("storage", .storage)] {
            guard name.hasPrefix(prefix), let number = Int(name.dropFirst(prefix.count)), number >= 0 else { continue }
            let alike = devices.lazy.filter { $0.kind == kind }.dropFirst(number)
            if let device = alike.first { return device }
        }
        return nil
    }

    /// What to write in place of a device that is not there.
    var deviceAdvice: String {
        let names = devices.compactMap { $0.names.first ?? $0.busID }
        guard !names.isEmpty else { return "no devices are known here; leave it out" }
        return "known are \(names.prefix(12).joined(separator: ", "))\(names.count > 12 ? ", …" : "")"
    }
}
