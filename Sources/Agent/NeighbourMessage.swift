import SharedMemoryLink
import Transport
import Wire

/// What is said to make a link between two workers of one host; the memory, sockets and bells for it come beside it.
///
/// The worker that wants a link asks the process that started both, over the socket beside its link; that process passes
/// what came along on to the other worker. What the other answers comes over the new link's own socket.
enum NeighbourMessage: Hashable {
    /// A worker wants a link to another process. Beside it: ``NeighbourOffer``.
    case connect(request: UInt64, process: Int)
    /// A worker with this number wants a link to you. Beside it: what came with its wish.
    case offer(worker: Int)
    /// There will be no link; or not now, since too much is going on at the moment.
    case refused(request: UInt64, reason: String, isForNow: Bool)
    /// The link is there. Beside it: ``NeighbourAnswer``.
    case accepted
    /// The worker that was to be linked to could not do its part.
    case declined(reason: String)
}

extension NeighbourMessage: WireEncodable, WireDecodable {
    func write(to output: inout WireWriter) {
        switch self {
        case .connect(let request, let process): output.write(UInt8(1), request, process)
        case .offer(let worker): output.write(UInt8(2), worker)
        case .refused(let request, let reason, let isForNow): output.write(UInt8(3), request, reason, isForNow)
        case .accepted: output.write(UInt8(4))
        case .declined(let reason): output.write(UInt8(5), reason)
        }
    }

    init(from input: inout WireReader) throws(WireError) {
        switch try input.read() as UInt8 {
        case 1: self = .connect(request: try input.read(), process: try input.read())
        case 2: self = .offer(worker: try input.read())
        case 3:
            self = .refused(
                request: try input.read(), reason: printable(try input.read()), isForNow: try input.read())
        case 4: self = .accepted
        case 5: self = .declined(reason: printable(try input.read()))
        case let tag: throw input.invalid("no message between neighbours has tag \(tag)")
        }
    }
}

extension NeighbourMessage {
    /// What a ``SocketMessage`` carries.
    var bytes: [UInt8] {
        var output = WireWriter(reserving: 64)
        write(to: &output)
        return output.bytes.copyBytes()
    }

    /// Reads what a ``SocketMessage`` carried.
    init(_ bytes: [UInt8]) throws(LinkError) {
        // SAFETY: every byte of a span of `UInt8` is initialised.
        var reader = WireReader(unsafe bytes.span.bytes)
        do {
            self = try reader.read()
        } catch {
            throw LinkError(code: .broken, "what arrives beside the link is no message: \(error)")
        }
    }

    /// A reason that fits into a message.
    static func shortened(_ reason: String) -> String {
        String(String.UnicodeScalarView(reason.unicodeScalars.prefix(500)))
    }
}
