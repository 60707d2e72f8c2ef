internal import CHwloc
internal import Placement

extension Topology.Device {
    /// The devices that hwloc has found: those of a PCI device are one, and those without a bus are each their own.
    static func all(in hwloc: borrowing HwlocTopology) -> [Topology.Device] {
        var devices: [Topology.Device] = []
        var positions: [UInt64: Int] = [:]
        for pci in hwloc.objects(HWLOC_OBJ_PCI_DEVICE) {
            positions[pci.pciAddress] = devices.count
            let model = [pci.info("PCIVendor"), pci.info("PCIDevice")].compactMap { $0 }
            devices.append(
                Topology.Device(
                    kind: .init(pciClass: pci.pciClass), names: [], busID: pciBusID(pci.pciAddress),
                    model: model.isEmpty ? nil : model.joined(separator: " "), cpus: pci.nearCPUs(in: hwloc)))
        }
        for device in hwloc.objects(HWLOC_OBJ_OS_DEVICE) {
            guard let name = device.name else { continue }
            let kind = Topology.Device.Kind(osDeviceType: device.osDeviceType)
            // Memory on a bus is a NUMA node, or a disk; the controllers in between are nobody's device.
            if let pci = device.ancestor(HWLOC_OBJ_PCI_DEVICE), let position = positions[pci.pciAddress] {
                devices[position].names.append(name)
                devices[position].model = devices[position].model ?? device.info("GPUModel")
                if devices[position].kind == .other { devices[position].kind = kind }
            } else {
                devices.append(
                    Topology.Device(
                        kind: kind, names: [name], model: device.info("GPUModel") ?? device.info("Model"),
                        cpus: device.nearCPUs(in: hwloc)))
            }
        }
        return devices
    }
}

/// A PCI address as `lspci -D` writes it, such as `0000:3b:00.0`.
private func pciBusID(_ address: UInt64) -> String {
    func hex(_ number: UInt64, _ width: Int) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    return "\(hex(address >> 24, 4)):\(hex(address >> 16 & 0xff, 2)):\(hex(address >> 8 & 0xff, 2)).\(address & 0xff)"
}

extension Topology.Device.Kind {
    /// By the class of a PCI device: 01 storage, 02 network, 03 display, 0b40 co-processors, 12 accelerators, 0207
    /// InfiniBand; from the PCI Code and ID Assignment Specification.
    fileprivate init(pciClass: UInt32) {
        switch pciClass >> 8 {
        case 0x01: self = .storage
        case 0x02: self = .network
        case 0x03, 0x12: self = .gpu
        case 0x0b where pciClass == 0x0b40: self = .gpu
        default: self = .other
        }
    }

    fileprivate init(osDeviceType: CInt) {
        switch osDeviceType {
        case CInt(HWLOC_OBJ_OSDEV_BLOCK.rawValue): self = .storage
        case CInt(HWLOC_OBJ_OSDEV_GPU.rawValue), CInt(HWLOC_OBJ_OSDEV_COPROC.rawValue): self = .gpu
        case CInt(HWLOC_OBJ_OSDEV_NETWORK.rawValue), CInt(HWLOC_OBJ_OSDEV_OPENFABRICS.rawValue): self = .network
        default: self = .other
        }
    }
}
