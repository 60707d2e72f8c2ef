package import Placement
package import Transport
package import Wire

/// What a driver and the agent of a host say to each other over their one link.
///
/// What a worker and the driver say to each other is in it, as the bytes and blocks behind ``frame(slot:kept:)``.
/// Workers of a host are known by slots, which are never used again; the driver gives them their numbers.
package enum HostMessage: Hashable, Sendable {
    // MARK: Driver to agent
    /// Silence after which each side takes the other for lost, in seconds. The first message.
    case welcome(heartbeatLimit: Double)
    /// Start workers.
    case start(request: UInt64, HostRequest)
    /// The worker in a slot is one of the cluster's from now on.
    case adopt(slot: UInt32, worker: Int)
    /// The worker in a slot is about to leave: none comes in its place.
    case release(slot: UInt32)
    /// End the worker in a slot, at once; `nil` stands for a worker that nobody wants any more, and in whose place none comes.
    case kill(slot: UInt32, because: WorkerEnd?)
    /// Keep the block that comes along for all workers of the host.
    case keep(block: UInt64)
    /// A block that nobody will name again.
    case drop(block: UInt64)
    /// Listen for another host, to which blocks are to be passed on.
    case admit(pair: UInt64, PairSecret)
    /// Reach a host that listens for this one.
    case dial(pair: UInt64, address: String, port: Int, PairSecret)
    /// Pass a block on, when it is there.
    case pass(block: UInt64, pair: UInt64)
    /// A block will come from another host.
    case expect(block: UInt64, pair: UInt64)
    /// Nothing more comes over a pair: the host that sends is gone, though its link may not have ended.
    case forgo(pair: UInt64)
    /// So many bytes of lines were printed.
    case printed(byteCount: Int)
    /// End all workers, and yourself.
    case shutdown

    // MARK: Agent to driver
    /// What the host is. The first message.
    case here(HostDescription)
    /// A worker is up: of a request, or in the place of another that has ended.
    case up(slot: UInt32, request: UInt64?, WorkerDescription)
    /// All workers of a request are up.
    case started(request: UInt64)
    /// A request failed; those of its workers that were up have been ended.
    case failed(request: UInt64, reason: String)
    /// A worker has ended. Another one is started in its place, or there is a reason why not.
    case ended(slot: UInt32, WorkerEnd, isReplaced: Bool, note: String?)
    /// No worker comes in the place of one that was to be replaced.
    case notReplaced(slot: UInt32, reason: String)
    /// The host was told to end, and goes: its workers have been ended, and nothing is wrong with what they were at.
    case leaving
    /// A line that a worker printed follows.
    case line(slot: UInt32, stream: Int32)
    /// Something that the user should know.
    case note(String)

    /// Listens for the other host of a pair.
    case listens(pair: UInt64, port: Int)
    /// A block does not come from where it should have.
    case lacks(block: UInt64)

    // MARK: Both
    /// What a worker is told, or says, follows.
    ///
    /// - Parameter kept: The first of its blocks, which the host keeps already; the others come along.
    case frame(slot: UInt32, kept: [UInt64])
    /// Still here.
    case heartbeat
}

/// What an agent says of its host.
package struct HostDescription: Hashable, Sendable, WireCodable {
    /// The host's name.
    package var host: String
    /// The agent's process there.
    package var process: Int
    /// CPUs that it may use.
    package var usableCPUCount: Int
    /// The workers that it would have; `nil` to leave that to the driver.
    package var offer: HostRequest?
    /// Seconds until the queue ends it; `nil` if that isn't known. Not a time, since clocks differ.
    package var secondsLeft: Double?

    package init(
        host: String, process: Int, usableCPUCount: Int, offer: HostRequest?, secondsLeft: Double? = nil
    ) {
        self.host = host
        self.process = process
        self.usableCPUCount = usableCPUCount
        self.offer = offer
        self.secondsLeft = secondsLeft
    }

    package func write(to output: inout WireWriter) {
        output.write(host, process, usableCPUCount, offer, secondsLeft)
    }

    package init(from input: inout WireReader) throws(WireError) {
        (host, process, usableCPUCount, offer) = (
            printable(try input.read()), try input.read(), try input.read(), try input.read()
        )
        secondsLeft = try input.read() as Double?
        if let secondsLeft, !(abs(secondsLeft) <= 1e12) { throw input.invalid("\(secondsLeft) seconds are left") }
    }
}

/// What an agent says of a worker that is up.
package struct WorkerDescription: Hashable, Sendable, WireCodable {
    /// What the worker says of itself.
    package var hello: Hello
    /// Where it was put; `nil` if that was left to the kernel.
    package var placement: PlacementPlan.Worker?
    /// What could not be had for it, in words.
    package var warnings: [String]

    package init(hello: Hello, placement: PlacementPlan.Worker?, warnings: [String]) {
        self.hello = hello
        self.placement = placement
        self.warnings = warnings
    }

    package func write(to output: inout WireWriter) {
        output.write(hello.process, hello.host, hello.buildID, hello.cpus, hello.memory, placement, warnings)
    }

    package init(from input: inout WireReader) throws(WireError) {
        hello = Hello(
            process: try input.read(), host: printable(try input.read()), buildID: try input.read(),
            cpus: try input.read(),
            memory: try input.read())
        guard hello.cpus.allSatisfy((0...CPUSet.largestCPU).contains) else {
            throw input.invalid("a CPU number is in 0...\(CPUSet.largestCPU)")
        }
        (placement, warnings) = (try input.read(), try input.read())
    }
}

/// A name or a sentence of another host's, or of a program that runs here, without what a terminal would take for a command.
package func printable(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: isControl) else { return text }
    return String(String.UnicodeScalarView(text.unicodeScalars.map { isControl($0) ? "\u{fffd}" : $0 }))
}

private func isControl(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.generalCategory == .control && scalar != "\n" && scalar != "\t"
}

extension HostMessage: WireEncodable, WireDecodable {
    package func write(to output: inout WireWriter) {
        switch self {
        case .frame(let slot, let kept): output.write(UInt8(1), slot, kept)
        case .heartbeat: output.write(UInt8(2))
        case .welcome(let heartbeatLimit): output.write(UInt8(3), heartbeatLimit)
        case .start(let request, let wanted): output.write(UInt8(4), request, wanted)
        case .adopt(let slot, let worker): output.write(UInt8(5), slot, worker)
        case .kill(let slot, let end): output.write(UInt8(6), slot, end)
        case .keep(let block): output.write(UInt8(7), block)
        case .drop(let block): output.write(UInt8(8), block)
        case .shutdown: output.write(UInt8(9))
        case .here(let host): output.write(UInt8(10), host)
        case .up(let slot, let request, let worker): output.write(UInt8(11), slot, request, worker)
        case .started(let request): output.write(UInt8(12), request)
        case .failed(let request, let reason): output.write(UInt8(13), request, reason)
        case .ended(let slot, let end, let isReplaced, let note):
            output.write(UInt8(14), slot, end, isReplaced, note)
        case .notReplaced(let slot, let reason): output.write(UInt8(15), slot, reason)
        case .line(let slot, let stream): output.write(UInt8(16), slot, stream)
        case .note(let text): output.write(UInt8(17), text)
        case .admit(let pair, let secret): output.write(UInt8(18), pair, secret)
        case .dial(let pair, let address, let port, let secret):
            output.write(UInt8(19), pair, address, port, secret)
        case .pass(let block, let pair): output.write(UInt8(20), block, pair)
        case .expect(let block, let pair): output.write(UInt8(21), block, pair)
        case .listens(let pair, let port): output.write(UInt8(22), pair, port)
        case .release(let slot): output.write(UInt8(27), slot)
        case .printed(let byteCount): output.write(UInt8(25), byteCount)
        case .leaving: output.write(UInt8(26))
        case .lacks(let block): output.write(UInt8(23), block)
        case .forgo(let pair): output.write(UInt8(24), pair)
        }
    }

    package init(from input: inout WireReader) throws(WireError) {
        switch try input.read() as UInt8 {
        case 1: self = .frame(slot: try input.read(), kept: try input.read())
        case 2: self = .heartbeat
        case 3: self = .welcome(heartbeatLimit: try input.read())
        case 4: self = .start(request: try input.read(), try input.read())
        case 5: self = .adopt(slot: try input.read(), worker: try input.read())
        case 6: self = .kill(slot: try input.read(), because: try input.read())
        case 7: self = .keep(block: try input.read())
        case 8: self = .drop(block: try input.read())
        case 9: self = .shutdown
        case 10: self = .here(try input.read())
        case 11: self = .up(slot: try input.read(), request: try input.read(), try input.read())
        case 12: self = .started(request: try input.read())
        case 13: self = .failed(request: try input.read(), reason: printable(try input.read()))
        case 14:
            self = .ended(
                slot: try input.read(), try input.read(), isReplaced: try input.read(), note: try input.read())
        case 15: self = .notReplaced(slot: try input.read(), reason: printable(try input.read()))
        case 16: self = .line(slot: try input.read(), stream: try input.read())
        case 17: self = .note(printable(try input.read()))
        case 18: self = .admit(pair: try input.read(), try input.read())
        case 19:
            self = .dial(
                pair: try input.read(), address: try input.read(), port: try input.read(), try input.read())
        case 20: self = .pass(block: try input.read(), pair: try input.read())
        case 21: self = .expect(block: try input.read(), pair: try input.read())
        case 22: self = .listens(pair: try input.read(), port: try input.read())
        case 23: self = .lacks(block: try input.read())
        case 24: self = .forgo(pair: try input.read())
        case 25: self = .printed(byteCount: try input.read())
        case 26: self = .leaving
        case 27: self = .release(slot: try input.read())
        case let tag: throw input.invalid("no message between hosts has tag \(tag)")
        }
    }
}

extension Link {
    /// Sends a message between hosts. Not called `send`, which takes messages of workers, some by the same names.
    ///
    /// - Parameters:
    ///   - bytes: What follows it.
    ///   - blocks: Those of what follows.
    func tell(
        _ message: HostMessage, _ bytes: RawSpan = RawSpan(), _ blocks: [SharedArray<UInt8>] = []
    ) throws(LinkError) {
        var output = WireWriter(reserving: 64 + bytes.byteCount)
        message.write(to: &output)
        output.append(bytes: bytes)
        do {
            try output.check()
        } catch {
            throw LinkError(code: .broken, "a message could not be written: \(error)")
        }
        try send(output.bytes, blocks)
    }
}
