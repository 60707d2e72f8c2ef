package import Wire

/// What the two ends of a link say to each other; the bytes behind it, if any, follow in the same frame.
///
/// Worker to agent: `hello`, then `heartbeat` when nothing else was said for a while. Agent to worker: `welcome`, once.
/// Driver to worker: the rest; worker to driver: `reply`, `refusal`,
/// `unresponsive`.
package enum Message: Hashable, Sendable {
    /// The worker reached its first `withCluster`.
    case hello(Hello)
    /// The worker's number, and how often it has to be heard.
    case welcome(Welcome)
    /// A body: a `FunctionReference` follows.
    case defineFunction
    /// Captures by number and type name; their bytes follow, or are the first of the blocks.
    case defineCaptures(id: UInt64, typeName: String, isApart: Bool)
    /// Captures that no call will name again.
    case forgetCaptures(id: UInt64)
    /// Run a body on the elements that follow.
    case call(Call)
    /// The same with captures of its own: they follow, then the elements.
    case callOnce(Call)
    /// The result of a call is not wanted any more. If its body does not suspend, and has begun, it has so many seconds to end;
    /// `nil` is as many as it takes.
    case cancel(call: UInt64, graceSeconds: Double?)
    /// What the bodies that run now come to is not wanted; one that does not suspend has so many seconds to end with its element.
    case interrupt(graceSeconds: Double)
    /// A body that does not suspend was cancelled or interrupted, and was still there so many seconds later.
    case unresponsive(graceSeconds: Double)
    /// A `BatchReply` follows.
    case reply(call: UInt64)
    /// The call could not be run at all, and why.
    case refusal(call: UInt64, reason: String)
    /// Still here.
    case heartbeat
    /// Finish and exit.
    case shutdown

    // MARK: Between any two processes
    /// Something is asked of what the other process has for others; what it needs follows. Answered by `reply`.
    case ask(call: UInt64, verb: UInt8, ReferenceName)
    /// Counts of references that processes hold follow.
    case counts
    /// A value follows, for a channel in which this process was allowed a place.
    case putAllowed(ReferenceName)
    /// Places in a channel that this process was allowed, and does not use.
    case giveBack(ReferenceName, places: Int)
    /// A value that was taken from a channel, and came too late, follows.
    case putBack(ReferenceName)
    /// The other process may put so many values more into a channel without asking; 0: it is to give back those it has.
    case allow(ReferenceName, places: Int)

    // MARK: Worker and driver
    /// To a worker: the cluster that it is of, and its number there. The first that its driver says.
    case belong(cluster: UInt64, worker: Int)
    /// To the driver: pass on what follows to a process. From the driver: what follows comes from a process.
    case relay(process: Int)
    /// Tell me of the cluster's processes, from now on.
    case introduce
    /// Those that there are follow.
    case roster
    /// Another one, which follows.
    case joined
    /// One has left, or is lost; how follows, if that is known.
    case left(process: Int)
}

/// What a worker says of itself.
package struct Hello: Hashable, Sendable {
    /// Version of this protocol; both sides must have the same.
    package static let currentVersion: UInt32 = 1

    package var version: UInt32 = Hello.currentVersion
    package var process: Int
    package var host: String
    /// Bytes of the executable's build ID.
    package var buildID: [UInt8]
    /// CPUs that the worker's main thread may run on, as the kernel says.
    package var cpus: [Int]
    /// Memory policy in words; `nil` if the kernel doesn't tell.
    package var memory: String?

    package init(process: Int, host: String, buildID: [UInt8], cpus: [Int], memory: String?) {
        self.process = process
        self.host = host
        self.buildID = buildID
        self.cpus = cpus
        self.memory = memory
    }
}

/// What a worker is told when it joins.
package struct Welcome: Hashable, Sendable {
    package var worker: Int
    /// Seconds of silence after which the worker says that it is still here.
    package var heartbeatSeconds: Double

    package init(worker: Int, heartbeatSeconds: Double) {
        self.worker = worker
        self.heartbeatSeconds = heartbeatSeconds
    }
}

/// What becomes of the result of a call.
package enum CallResult: Hashable, Sendable {
    /// It goes to the caller.
    case answered
    /// It stays, as the value of a future; the caller is told that it is there.
    case kept(ReferenceName)
    /// Nobody wants it; an error is told on the worker's standard error.
    case dropped
}

extension CallResult: WireCodable {
    package func write(to output: inout WireWriter) {
        switch self {
        case .answered: output.write(UInt8(0))
        case .kept(let name): output.write(UInt8(1), name)
        case .dropped: output.write(UInt8(2))
        }
    }

    package init(from input: inout WireReader) throws(WireError) {
        switch try input.read() as UInt8 {
        case 0: self = .answered
        case 1: self = .kept(try input.read())
        case 2: self = .dropped
        case let tag: throw input.invalid("no call has tag \(tag)")
        }
    }
}

/// A batch to run.
package struct Call: Hashable, Sendable {
    /// Number of the call, which the answer repeats.
    package var id: UInt64
    /// Number of a body defined before.
    package var function: UInt64
    /// Number of captures defined before; `nil` if the body has none.
    package var captures: UInt64?
    /// Of the random numbers that the body can draw.
    package var seed: UInt64
    /// Place of the first element in the map's input; `nil` if there is none.
    package var first: Int?
    /// Which attempt at each of the elements it is, from 1.
    package var attempt: Int
    /// What becomes of the result.
    package var result: CallResult

    /// The numbers of what is asked of references have this in them, those of calls do not.
    package static let askMark: UInt64 = 1 << 63

    package init(
        id: UInt64, function: UInt64, captures: UInt64?, seed: UInt64 = 0, first: Int? = nil, attempt: Int = 1,
        result: CallResult = .answered
    ) {
        self.id = id
        self.function = function
        self.captures = captures
        self.seed = seed
        self.first = first
        self.attempt = attempt
        self.result = result
    }
}

extension Message: WireEncodable, WireDecodable {
    package func write(to output: inout WireWriter) {
        switch self {
        case .hello(let hello):
            output.write(UInt8(1), hello.version, hello.process, hello.host, hello.buildID, hello.cpus, hello.memory)
        case .welcome(let welcome): output.write(UInt8(2), welcome.worker, welcome.heartbeatSeconds)
        case .defineFunction: output.write(UInt8(3))
        case .defineCaptures(let id, let typeName, let isApart): output.write(UInt8(4), id, typeName, isApart)
        case .forgetCaptures(let id): output.write(UInt8(5), id)
        case .call(let call):
            output.write(
                UInt8(6), call.id, call.function, call.captures, call.seed, call.first, call.attempt, call.result)
        case .callOnce(let call): output.write(UInt8(12), call.id, call.function, call.seed, call.result)
        case .cancel(let call, let grace): output.write(UInt8(7), call, grace)
        case .interrupt(let grace): output.write(UInt8(25), grace)
        case .unresponsive(let grace): output.write(UInt8(26), grace)
        case .reply(let call): output.write(UInt8(8), call)
        case .refusal(let call, let reason): output.write(UInt8(9), call, reason)
        case .heartbeat: output.write(UInt8(10))
        case .shutdown: output.write(UInt8(11))
        case .ask(let call, let verb, let name): output.write(UInt8(13), call, verb, name)
        case .counts: output.write(UInt8(14))
        case .putAllowed(let name): output.write(UInt8(15), name)
        case .giveBack(let name, let places): output.write(UInt8(16), name, places)
        case .putBack(let name): output.write(UInt8(17), name)
        case .allow(let name, let places): output.write(UInt8(18), name, places)
        case .relay(let process): output.write(UInt8(19), process)
        case .introduce: output.write(UInt8(20))
        case .roster: output.write(UInt8(21))
        case .joined: output.write(UInt8(22))
        case .left(let process): output.write(UInt8(23), process)
        case .belong(let cluster, let worker): output.write(UInt8(24), cluster, worker)
        }
    }

    package init(from input: inout WireReader) throws(WireError) {
        let tag: UInt8 = try input.read()
        switch tag {
        case 1:
            let version: UInt32 = try input.read()
            guard version == Hello.currentVersion else {
                throw input.invalid("the other side speaks version \(version), this one \(Hello.currentVersion)")
            }
            self = .hello(
                Hello(
                    process: try input.read(), host: try input.read(), buildID: try input.read(),
                    cpus: try input.read(), memory: try input.read()))
        case 2: self = .welcome(Welcome(worker: try input.read(), heartbeatSeconds: try input.read()))
        case 3: self = .defineFunction
        case 4:
            self = .defineCaptures(id: try input.read(), typeName: try input.read(), isApart: try input.read())
        case 5: self = .forgetCaptures(id: try input.read())
        case 6:
            self = .call(
                Call(
                    id: try input.read(), function: try input.read(), captures: try input.read(),
                    seed: try input.read(), first: try input.read(), attempt: try input.read(),
                    result: try input.read()))
        case 7: self = .cancel(call: try input.read(), graceSeconds: try input.read())
        case 8: self = .reply(call: try input.read())
        case 9: self = .refusal(call: try input.read(), reason: try input.read())
        case 10: self = .heartbeat
        case 11: self = .shutdown
        case 12:
            self = .callOnce(
                Call(
                    id: try input.read(), function: try input.read(), captures: nil, seed: try input.read(),
                    result: try input.read()))
        case 13: self = .ask(call: try input.read(), verb: try input.read(), try input.read())
        case 14: self = .counts
        case 15: self = .putAllowed(try input.read())
        case 16: self = .giveBack(try input.read(), places: try input.read())
        case 17: self = .putBack(try input.read())
        case 18: self = .allow(try input.read(), places: try input.read())
        case 19: self = .relay(process: try input.read())
        case 20: self = .introduce
        case 21: self = .roster
        case 22: self = .joined
        case 23: self = .left(process: try input.read())
        case 24: self = .belong(cluster: try input.read(), worker: try input.read())
        case 25: self = .interrupt(graceSeconds: try input.read())
        case 26:
            let seconds: Double = try input.read()
            // A worker says that: it comes to be told in words.
            guard seconds >= 0, seconds <= 1e9 else { throw input.invalid("a grace of \(seconds) s") }
            self = .unresponsive(graceSeconds: seconds)
        default: throw input.invalid("no message has tag \(tag)")
        }
    }
}

extension Message {
    /// Whether the bytes are a ``heartbeat``, for who only carries messages.
    package static func isHeartbeat(_ bytes: RawSpan) -> Bool { tag(of: bytes) == 10 }

    /// Whether the bytes are a ``shutdown``.
    package static func isShutdown(_ bytes: RawSpan) -> Bool { tag(of: bytes) == 11 }

    /// Whether the bytes are a ``welcome(_:)``.
    package static func isWelcome(_ bytes: RawSpan) -> Bool { tag(of: bytes) == 2 }

    private static func tag(of bytes: RawSpan) -> UInt8? {
        var reader = WireReader(bytes)
        return try? reader.read() as UInt8
    }
}

// MARK: - What a message refers to

extension Message {
    /// Set in the tag of a message that has names of references behind it.
    private static let hasNames: UInt8 = 0x80

    /// Whether a message has names of references behind it, see ``open(_:)``.
    package static func hasNames(_ frame: RawSpan) -> Bool { (tag(of: frame) ?? 0) & hasNames != 0 }

    /// Puts the names of what a message refers to behind it, where the receiver finds them with ``open(_:)``: it holds references
    /// from when the message is there, whether or not it is read.
    package static func seal(_ output: inout WireWriter) {
        guard let tag = tag(of: output.bytes) else { return }
        output.fill(0, with: tag | hasNames)
        let start = output.byteCount
        for attachment in output.attachments.list { attachment.writeName(to: &output) }
        output.write(UInt64(output.byteCount - start))
    }

    /// Takes a sealed message apart.
    ///
    /// - Returns: The message as it was before, and the names, written one after the other.
    /// - Throws: `WireError` if there are no names.
    package static func open(_ frame: RawSpan) throws(WireError) -> (message: [UInt8], names: [UInt8]) {
        var bytes = frame.copyBytes()
        let lengthByteCount = 8
        guard bytes.count > lengthByteCount else {
            throw WireError(code: .truncated, offset: 0, detail: "a message without the names that it says it has")
        }
        var reader = WireReader(frame.extracting(droppingFirst: bytes.count - lengthByteCount))
        let length: UInt64 = try reader.read()
        guard length < UInt64(bytes.count - lengthByteCount) else {
            throw WireError(code: .truncated, offset: 0, detail: "names of \(length) bytes in one of \(bytes.count)")
        }
        let end = bytes.count - lengthByteCount - Int(length)
        let names = Array(bytes[end..<bytes.count - lengthByteCount])
        bytes.removeLast(bytes.count - end)
        bytes[0] &= ~hasNames
        return (bytes, names)
    }
}

extension Link {
    /// Sends a message with nothing behind it.
    package func send(_ message: Message) throws(LinkError) {
        var output = WireWriter(reserving: 64)
        message.write(to: &output)
        try send(&output)
    }

    /// Sends what was written, and the arrays that were kept.
    package func send(_ output: inout WireWriter) throws(LinkError) {
        do {
            try output.check()
        } catch {
            throw LinkError(code: .broken, "a message could not be written: \(error)")
        }
        try send(output.bytes, output.blocks)
    }
}
