import Muster

/// Where `muster map` has its workers: what `--on` says.
enum ManagerChoice: Hashable {
    /// On this host.
    case local
    /// On whichever hosts join.
    case elastic(ElasticPlace)
    /// Through Slurm.
    case slurm(SlurmPlace)

    /// Where a driver listens.
    struct ElasticPlace: Hashable {
        var address = NetworkAddress.loopback
        var port = ElasticManager.standardPort
    }

    /// What Slurm is asked for.
    struct SlurmPlace: Hashable {
        var count: Int
        var address = NetworkAddress.automatic
        var directory: String?
        /// Slurm's own options, in the order in which they were written.
        var flags: SlurmFlags = [:]
    }

    /// Reads `local`, `slurm:4,partition=debug`, `elastic`, or `elastic:address=eth0,port=0`.
    ///
    /// - Throws: ``UsageError`` with what is wrong.
    init(_ text: String) throws(UsageError) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        switch (parts[0], parts.count) {
        case ("local", 1): self = .local
        case ("elastic", 1): self = .elastic(ElasticPlace())
        case ("elastic", _): self = .elastic(try ManagerChoice.place(parts[1]))
        case ("slurm", 2): self = .slurm(try ManagerChoice.slurm(parts[1]))
        default:
            throw UsageError(
                message:
                    "--on \(text) names no kind of workers; there are local, elastic:address=ADDRESS,port=PORT, and "
                    + "slurm:COUNT,OPTION=VALUE"
            )
        }
    }

    private static func place(_ text: Substring) throws(UsageError) -> ElasticPlace {
        var place = ElasticPlace()
        for item in text.split(separator: ",", omittingEmptySubsequences: false) {
            let words = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let value = words.count == 2 ? String(words[1]) : ""
            switch words[0] {
            case "address" where !value.isEmpty: place.address = address(value)
            case "port":
                guard let port = Int(value), (0...65_535).contains(port) else {
                    throw UsageError(message: "\"\(value)\" is no port; give one of 0 to 65535, 0 for any that is free")
                }
                place.port = port
            default:
                throw UsageError(
                    message: "\"\(item)\" says nothing about elastic workers; there are address= and port=")
            }
        }
        return place
    }

    private static func slurm(_ text: Substring) throws(UsageError) -> SlurmPlace {
        let items = text.split(separator: ",", omittingEmptySubsequences: false)
        guard let count = Int(items[0]), count >= 1 else {
            throw UsageError(message: "\"\(items[0])\" is no number of workers; write slurm:4,partition=debug")
        }
        var place = SlurmPlace(count: count)
        var flags: [(String, String)] = []
        for item in items.dropFirst() {
            let words = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let value = words.count == 2 ? words[1] : ""
            switch words[0] {
            case "": throw UsageError(message: "between commas of --on slurm stands OPTION=VALUE, or OPTION alone")
            case "address" where !value.isEmpty: place.address = address(value)
            case "directory" where !value.isEmpty: place.directory = value
            default: flags.append((words[0], value))
            }
        }
        place.flags = SlurmFlags(flags)
        return place
    }

    private static func address(_ text: String) -> NetworkAddress {
        switch text {
        case "loopback": return .loopback
        case "automatic", "auto": return .automatic
        default:
            let isNumber = text.contains(":") || text.allSatisfy { $0 == "." || ("0"..."9").contains($0) }
            return isNumber ? .address(text) : .interface(text)
        }
    }
}
