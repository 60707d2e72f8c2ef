import Glibc
import TCPLink

/// Measures links between hosts, over loopback: `muster-link-benchmarks scale 2000`, `round-trip 20000`, `one-way 2000`.
///
/// In the package itself, because what it measures is not public. The other side is this program again, in another
/// process; the join file goes to its standard input.
@main struct Main {
    static func main() async throws {
        raiseDescriptorLimit()
        let arguments = Array(CommandLine.arguments.dropFirst())
        let isPeer = arguments.first == "--peer"
        let words = isPeer ? Array(arguments.dropFirst()) : arguments
        guard words.count == 2, let count = Int(words[1]), count > 0, let measure = Measure(rawValue: words[0]) else {
            print("usage: muster-link-benchmarks scale LINKS | round-trip TIMES | one-way MEGABYTES | messages COUNT")
            exit(64)
        }
        if isPeer {
            try await Peer(measure, count).run(try JoinFile.read(descriptor: 0))
        } else {
            try await Driver(measure, count).run()
        }
    }

    /// Each link takes one; the usual limit is 1024.
    private static func raiseDescriptorLimit() {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}

/// What is measured.
enum Measure: String {
    /// The time until that many have joined, and the memory that each takes here.
    case scale
    /// One byte there and back, one at a time.
    case roundTrip = "round-trip"
    /// Megabytes in blocks of 8 MiB, one way.
    case oneWay = "one-way"
    /// Messages of 64 bytes, one way.
    case messages
}
