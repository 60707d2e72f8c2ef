import Muster

/// Where `muster map` has its workers: what `--on` says.
enum ManagerChoice: Hashable {
    /// On this host.
    case local
    /// On whichever hosts join.
    case elastic(ElasticPlace)
    /// Through a job queue.
    case queue(QueuePlace)

    /// Where a driver listens.
    struct ElasticPlace: Hashable {
        var address = NetworkAddress.loopback
        var port = ElasticManager.standardPort
    }

    /// What a queue is asked for.
    struct QueuePlace: Hashable {
        /// An option of the queue's own; with an empty value it stands alone.
        struct Flag: Hashable {
            var key: String
            var value: String
        }

        var kind: JobQueueKind
        var count: Int
        var address = NetworkAddress.automatic
        var directory: String?
        var workersPerJob: Int?
        var executable: String?
        /// Seconds.
        var startLimit: Int?
        /// The queue's own options, in the order in which they were written.
        var flags: [Flag] = []

        /// The manager for these, with what else is to be set for its workers.
        func manager(_ options: JobOptions) throws -> any SubmittingManager {
            var options = options
            if let directory { options.directory = directory }
            if let workersPerJob { options.workersPerJob = workersPerJob }
            options.executable = executable
            // Commands come with the calls: an agent only has to be one, and thousands of arguments fit in no script.
            options.arguments = ["map", "--on", "elastic", ":", ":::", "1"]
            // Nobody who has typed a command wants it to be given up because others come first.
            options.startLimit = .seconds(startLimit ?? 7 * 86_400)
            return try kind.manager(
                count: count, flags: flags.map { ($0.key, $0.value) }, address: address, options: options)
        }
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
        default:
            let kinds = JobQueueKind.allCases.map(\.rawValue)
            guard parts.count == 2, let kind = JobQueueKind(rawValue: String(parts[0])) else {
                throw UsageError(
                    message:
                        "--on \(text) names no kind of workers; there are local, elastic:address=ADDRESS,port=PORT, and "
                        + "QUEUE:COUNT,OPTION=VALUE, with a QUEUE of \(kinds.joined(separator: ", "))")
            }
            self = .queue(try ManagerChoice.queue(kind, parts[1]))
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

    private static func queue(_ kind: JobQueueKind, _ text: Substring) throws(UsageError) -> QueuePlace {
        let items = items(of: text)
        guard let count = Int(items[0]), count >= 1 else {
            throw UsageError(message: "\"\(items[0])\" is no number of workers; write \(kind.rawValue):4,OPTION=VALUE")
        }
        var place = QueuePlace(kind: kind, count: count)
        for item in items.dropFirst() {
            let words = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let value = words.count == 2 ? words[1] : ""
            switch words[0] {
            case "":
                throw UsageError(
                    message: "between commas of --on \(kind.rawValue) stands OPTION=VALUE, or OPTION alone")
            case "address" where !value.isEmpty: place.address = address(value)
            case "directory" where !value.isEmpty: place.directory = value
            case "executable" where !value.isEmpty: place.executable = value
            case "start-limit":
                guard let seconds = Int(value), (1...JobOptions.longestStartLimit).contains(seconds) else {
                    throw UsageError(message: "\"\(value)\" is no start-limit; give a number of seconds")
                }
                place.startLimit = seconds
            case "workers-per-job":
                guard let workers = Int(value), workers >= 1 else {
                    throw UsageError(message: "\"\(value)\" is no number of workers of a job; give one from 1 on")
                }
                place.workersPerJob = workers
            default: place.flags.append(.init(key: words[0], value: value))
            }
        }
        return place
    }

    /// What stands between single commas; two in a row are one of an item's own.
    private static func items(of text: Substring) -> [String] {
        let mark: Character = "\0"
        return text.replacing(",,", with: "\(mark)").split(separator: ",", omittingEmptySubsequences: false)
            .map { String($0).replacing("\(mark)", with: ",") }
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
