package import Wire

/// What the two ends of a link say to each other; the bytes behind it, if any, follow in the same frame.
///
/// Worker to agent: `hello`, then `heartbeat` when nothing else was said for a while. Agent to worker: `welcome`, once.
/// Driver to worker: the rest; worker to driver: `reply`, `refusal`.
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
    /// The result of a call is not wanted any more.
    case cancel(call: UInt64)
    /// A `BatchReply` follows.
    case reply(call: UInt64)
    /// The call could not be run at all, and why.
    case refusal(call: UInt64, reason: String)
    /// Still here.
    case heartbeat
    /// Finish and exit.
    case shutdown
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

/// A batch to run.
package struct Call: Hashable, Sendable {
    /// Number of the call, which the answer repeats.
    package var id: UInt64
    /// Number of a body defined before.
    package var function: UInt64
    /// Number of captures defined before; `nil` if the body has none.
    package var captures: UInt64?

    package init(id: UInt64, function: UInt64, captures: UInt64?) {
        self.id = id
        self.function = function
        self.captures = captures
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
        case .call(let call): output.write(UInt8(6), call.id, call.function, call.captures)
        case .callOnce(let call): output.write(UInt8(12), call.id, call.function)
        case .cancel(let call): output.write(UInt8(7), call)
        case .reply(let call): output.write(UInt8(8), call)
        case .refusal(let call, let reason): output.write(UInt8(9), call, reason)
        case .heartbeat: output.write(UInt8(10))
        case .shutdown: output.write(UInt8(11))
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
            self = .call(Call(id: try input.read(), function: try input.read(), captures: try input.read()))
        case 7: self = .cancel(call: try input.read())
        case 8: self = .reply(call: try input.read())
        case 9: self = .refusal(call: try input.read(), reason: try input.read())
        case 10: self = .heartbeat
        case 11: self = .shutdown
        case 12:
            self = .callOnce(Call(id: try input.read(), function: try input.read(), captures: nil))
        default: throw input.invalid("no message has tag \(tag)")
        }
    }
}

extension Message {
    /// Whether the bytes are a ``heartbeat``, for who only carries messages.
    package static func isHeartbeat(_ bytes: RawSpan) -> Bool { tag(of: bytes) == 10 }

    /// Whether the bytes are a ``shutdown``.
    package static func isShutdown(_ bytes: RawSpan) -> Bool { tag(of: bytes) == 11 }

    private static func tag(of bytes: RawSpan) -> UInt8? {
        var reader = WireReader(bytes)
        return try? reader.read() as UInt8
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
