package import Placement
package import Wire

/// The workers that somebody wants on a host, and how each is started.
package struct HostRequest: Hashable, Sendable {
    /// How many there are, and where they go.
    package enum Places: Hashable, Sendable {
        /// As many as said, where the kernel puts them; one for each usable CPU if nothing is said.
        case unbound(count: Int?)
        /// Where a plan for the host puts them.
        case planned(PlacementRequest)
    }

    /// How many there are, and where they go.
    package var places: Places
    /// Path of the program, from the host's process's directory; `nil` for its own. It must be the same build.
    package var executable: String?
    /// Arguments added behind those of the host's process.
    package var flags: [String] = []
    /// Their working directory; `nil` for that of the host's process.
    package var directory: String?
    /// Environment variables to set, besides those of the host's process.
    package var environment: [String: String] = [:]
    /// Whether OMP_NUM_THREADS and its kin are set to each worker's number of threads, where the user has not set them.
    package var setsThreadVariables = true
    /// Seconds that a worker may take to reach its first `withCluster`.
    package var startLimit = 60.0
    /// Whether what workers print stays where they are, and does not go to the driver.
    package var keepsOutput = false
    /// How often workers of the host are started again.
    package var restarts = RestartLimit.never

    package init(_ places: Places) {
        self.places = places
    }

    /// How many workers are asked for; `nil` if that is up to the host.
    package var workerCount: Int? {
        switch places {
        case .unbound(let count): count
        case .planned(let request): request.workers
        }
    }

    /// What is asked of another host unless more is said: workers where a balanced plan puts them, started again when they
    /// die, but not over and over.
    ///
    /// - Parameter workers: One for each usable core if `nil`.
    package static func ofHost(workers: Int? = nil) -> HostRequest {
        var request = HostRequest(.planned(PlacementRequest(workers: workers)))
        request.restarts = RestartLimit(perMinute: 5)
        return request
    }
}

/// How often the workers of a host may be started again, within any minute.
package struct RestartLimit: Hashable, Sendable {
    /// Starts within a minute.
    package var perMinute: Int

    package init(perMinute: Int) {
        precondition(perMinute >= 0, "a number of starts is not negative")
        self.perMinute = perMinute
    }

    /// A worker that has ended is not started again.
    package static let never = RestartLimit(perMinute: 0)

    /// Why no more are started, as the end of a sentence about the last that ended; `nil` where none ever would be.
    package var exhaustion: String? {
        guard perMinute > 0 else { return nil }
        return """
            none is started in its place: workers of this host have ended \(perMinute + 1) times within a minute, \
            and what they wrote says why
            """
    }
}

/// Decides from times alone whether a worker that has ended is started again.
package struct RestartHistory: Sendable {
    private let limit: RestartLimit
    /// When workers were started again within the last minute, oldest first.
    private var times: [Double] = []

    package init(_ limit: RestartLimit) { self.limit = limit }

    /// Whether a worker that ended at `now`, in seconds, may be started again; that is counted then.
    package mutating func mayRestart(at now: Double) -> Bool {
        times.removeAll { now - $0 >= 60 }
        guard times.count < limit.perMinute else { return false }
        times.append(now)
        return true
    }
}

extension PlacementRequest: WireCodable {}
extension PlacementPlan.Worker: WireCodable {}

extension HostRequest: WireCodable {
    package func write(to output: inout WireWriter) {
        switch places {
        case .unbound(let count): output.write(UInt8(1), count)
        case .planned(let request): output.write(UInt8(2), request)
        }
        output.write(
            executable, flags, directory, environment, setsThreadVariables, startLimit, restarts.perMinute,
            keepsOutput)
    }

    package init(from input: inout WireReader) throws(WireError) {
        switch try input.read() as UInt8 {
        case 1: places = .unbound(count: try input.read())
        case 2: places = .planned(try input.read())
        case let tag: throw input.invalid("no kind of places has tag \(tag)")
        }
        (executable, flags, directory, environment) = (
            try input.read(), try input.read(), try input.read(), try input.read()
        )
        (setsThreadVariables, startLimit) = (try input.read(), try input.read())
        let perMinute: Int = try input.read()
        guard perMinute >= 0 else { throw input.invalid("\(perMinute) starts in a minute") }
        restarts = RestartLimit(perMinute: perMinute)
        keepsOutput = try input.read()
    }
}
