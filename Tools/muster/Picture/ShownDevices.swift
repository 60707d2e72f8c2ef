import Muster

/// Devices that share a place in a picture: one, or several that are alike.
struct ShownDevices {
    /// The CPUs near them, by OS index.
    let cpus: CPUSet
    /// What and where they are, such as `2 NICs eth0-1 (0000:81:00.0, …)`.
    let name: String
    /// Maker and model, such as `Intel I350`; empty where the source doesn't say.
    let model: String

    /// The name and as much of the model as goes into two lines.
    ///
    /// - Returns: The lines, and whether some of the name or of the model was lost.
    func lines(
        width: Int, indent: String, measure: (String) -> Int
    ) -> (lines: [String], isCramped: Bool, isCut: Bool) {
        if measure(text) <= width { return ([text], false, false) }
        func fit(_ words: String) -> [String] {
            // An address and the sign for more of them stay together.
            let words = words.replacing(", …", with: ",\u{a0}…").split(separator: " ").map { word in
                String(word).replacing("\u{a0}", with: " ")
            }
            return PictureText.lines(of: words, separator: " ", width: width, measure: measure)
        }
        let names = fit(name)
        guard let first = names.first else { return ([], false, false) }
        let rest = names.dropFirst().joined(separator: " ") + (names.count > 1 ? " " : "") + model
        let isCramped = names.count > 2 || names.joined(separator: " ") != name
        let second = PictureText.shortened(indent + rest, to: width, measure: measure)
        return (rest.isEmpty ? [first] : [first, second], isCramped, second != indent + rest)
    }

    /// Name and model.
    var text: String { model.isEmpty ? name : "\(name) \(model)" }
}

extension Topology {
    /// Devices as a picture shows them: GPUs first, and without those that nobody has a name for.
    var shownDevices: [ShownDevices] {
        var groups: [[Device]] = []
        for kind in Device.Kind.allCases {
            for device in devices where device.kind == kind && (kind != .other || !device.names.isEmpty) {
                let like = groups.firstIndex { group in
                    group[0].kind == kind && group[0].model == device.model && group[0].cpus == device.cpus
                        && group[0].names.isEmpty == device.names.isEmpty
                }
                if let like { groups[like].append(device) } else { groups.append([device]) }
            }
        }
        return groups.map { ShownDevices($0) }
    }
}

extension ShownDevices {
    fileprivate init(_ devices: [Topology.Device]) {
        let noun =
            switch devices[0].kind {
            case .gpu: "GPU"
            case .network: "NIC"
            case .storage: "Disk"
            case .other: "Device"
            }
        var text = devices.count == 1 ? noun : PictureText.count(devices.count, noun)
        let names = Self.ranges(devices.flatMap(\.names).map(PictureText.cleaned))
        if !names.isEmpty { text += " " + names.joined(separator: ", ") }
        let buses = devices.compactMap(\.busID)
        if let first = buses.first { text += " (\(first)\(buses.count > 1 ? ", …" : ""))" }
        let model = devices[0].model.map { Self.short(PictureText.cleaned($0)) } ?? ""
        self.init(cpus: devices[0].cpus, name: text, model: model)
    }

    /// Names with those that differ in a last number only as one, such as `nvml0-7`.
    private static func ranges(_ names: [String]) -> [String] {
        var stems: [(stem: String, numbers: CPUSet)] = []
        for name in names {
            let digits = name.reversed().prefix { $0.isASCII && $0.isNumber }.count
            let stem = String(name.dropLast(digits))
            // Longer numbers are addresses, and a leading zero is part of the name.
            guard let number = Int(name.suffix(digits)), number < 10_000, String(number).count == digits else {
                stems.append((name, []))
                continue
            }
            if let like = stems.firstIndex(where: { $0.stem == stem && !$0.numbers.isEmpty }) {
                stems[like].numbers.insert(number)
            } else {
                stems.append((stem, [number]))
            }
        }
        return stems.map { $0.stem + $0.numbers.description }
    }

    /// A model without what only the maker's lawyers need.
    private static func short(_ model: String) -> String {
        let makers = [("Advanced Micro Devices, Inc. [AMD/ATI]", "AMD"), ("Advanced Micro Devices, Inc. [AMD]", "AMD")]
        var model = model
        for (long, short) in makers where model.hasPrefix(long) { model = short + model.dropFirst(long.count) }
        let legal: Set = ["Corporation", "Corp.", "Inc", "Inc.", "Ltd.", "Ltd", "Limited", "Technologies", "Co.,"]
        let words = model.split(separator: " ").filter { !legal.contains(String($0)) }
        return words.map { $0.hasSuffix(",") && $0.count > 1 ? String($0.dropLast()) : String($0) }
            .joined(separator: " ")
    }
}
