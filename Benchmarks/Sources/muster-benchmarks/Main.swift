import CFloors
import Glibc
import Muster

@main struct Main {
    /// Every benchmark, in the order in which they run.
    static let benchmarks: [any Benchmark] =
        [
            RoundTrip(), TrivialMap(), MillionIntegers(), CapturedArray(), Echo(), Segments(), StartUp(), IdleWorker(),
            Planning(), WorkerCalls(), ChannelItems(), ChannelBulk(), Futures(), RemoteRoundTrip(), RemoteMap(),
            RemoteBulk(),
            IdleCPU(), CapturedMemory(), CapturedSharedArray(), TenMillionIntegers(), MapScale(), RingRoundTrip(),
            RingFrames(byteCount: 64),
            RingFrames(byteCount: 1 << 10),
            RingFrames(byteCount: 1 << 16),
        ] + WireShape.all.map { WireBenchmark(shape: $0) }
        + WireShape.all.map { WireBenchmark(shape: $0, isSlow: true) }

    static func main() async throws {
        let options = Options.current
        // For the floor of start-up: this program, which does nothing.
        if options.isIdle { return }
        if let peer = options.ringPeer { return try peer.run() }
        if let alone = options.alone {
            guard try runAlone(alone, times: options.times) else { fatalError("nothing is called \(alone)") }
            return
        }
        // A worker is this program again, and stays in the first `withCluster`: so everything happens inside one.
        try await withCluster { _ in try await run(options) }
    }

    private static func run(_ options: Options) async throws {
        let host = Host.current
        let start = floor_seconds()
        if !options.isJSON { print(host.lines.joined(separator: "\n")) }
        var reports: [Report] = []
        for benchmark in benchmarks where options.includes(benchmark) {
            let report = Report(benchmark, try await benchmark.run(host))
            if !options.isJSON { print("\n" + report.lines.joined(separator: "\n")) }
            reports.append(report)
        }
        if options.isJSON {
            print(json(host, reports))
        } else {
            print("\n\(reports.count) benchmarks in \(rounded(floor_seconds() - start)) s")
        }
    }
}

/// What the command line asks for.
struct Options {
    /// What was asked for this time.
    static let current = Options(CommandLine.arguments.dropFirst())

    var isJSON = false
    var isIdle = false
    /// What the other process of a ring does; it has the ring's memory as descriptor 3.
    var ringPeer: RingPeer?
    /// Part of the names of the benchmarks to run, and of the keys of the lanes to measure; empty for all.
    var filter = ""
    var lane = ""
    /// The whole name of the only benchmark to run.
    var exactly: String?
    /// An operation to run by itself, and how often.
    var alone: String?
    var times = 1

    /// Reads the arguments; ends the process if they can't be understood.
    init(_ arguments: some Sequence<String>) {
        var arguments = Array(arguments)[...]
        while let argument = arguments.popFirst() {
            switch argument {
            case "--json": isJSON = true
            case "--idle": isIdle = true
            case "--ring-peer" where arguments.count == 3:
                ringPeer = RingPeer(arguments)
                if ringPeer == nil { exit(64) }
                arguments = []
            case "--alone" where !arguments.isEmpty: alone = arguments.removeFirst()
            case "--times" where !arguments.isEmpty: times = Int(arguments.removeFirst()) ?? 1
            case "--filter" where !arguments.isEmpty: filter = arguments.removeFirst()
            case "--exactly" where !arguments.isEmpty: exactly = arguments.removeFirst()
            case "--lane" where !arguments.isEmpty: lane = arguments.removeFirst()
            default:
                print("usage: bench [--filter NAME | --exactly NAME] [--lane KEY] [--json]")
                print("       bench --alone SHAPE/KEY [--times COUNT], as records/muster.decode: for a profiler")
                for benchmark in Main.benchmarks { print("  \(benchmark.name): \(benchmark.title)") }
                exit(argument == "--help" ? 0 : 64)
            }
        }
    }

    func includes(_ benchmark: some Benchmark) -> Bool {
        if let exactly { return benchmark.name == exactly }
        return filter.isEmpty ? !benchmark.isSlow : benchmark.name.lowercased().contains(filter.lowercased())
    }
}
