import Foundation
import Muster
import Synchronization

/// Workers that this program starts itself; each has its driver at the other end of its standard input.
struct SocketManager: ClusterManager {
    let count: Int

    func launch(_ site: LaunchSite) async throws {
        for number in 1...count {
            let (near, far) = SocketLink.ends()
            let process = Process()
            process.executableURL = URL(filePath: "/proc/self/exe")
            process.arguments = Array(CommandLine.arguments.dropFirst())
            process.environment = ProcessInfo.processInfo.environment.merging(["OWN_WORKER": "\(number)"]) { $1 }
            process.standardInput = far
            try process.run()
            let details = LinkedWorker.Details(
                identity: "number \(number)", userData: process.processIdentifier, kill: { process.terminate() })
            let worker = try await LinkedWorker.greeted(over: SocketLink(near), details)
            do {
                try await site.add(worker)
            } catch {
                worker.kill()
                throw error
            }
        }
    }

    func manage(_ worker: WorkerID, _ event: WorkerEvent) async {
        if event == .registered { say("worker \(worker) has joined") }
        if event == .deregistered { say("worker \(worker) has left") }
    }
}

/// Called before the first `withCluster`: in a worker it does not return.
func serveIfWorker() async {
    guard ProcessInfo.processInfo.environment["OWN_WORKER"] != nil else { return }
    await Worker.serve(over: SocketLink(.standardInput))
    exit(0)
}

/// Frames over a socket: each has its length before it.
final class SocketLink: Link {
    private let socket: FileHandle
    private let reading = DispatchQueue(label: "reading")
    private let writing = DispatchQueue(label: "writing")
    private let state = Mutex((isClosed: false, lastHeard: monotonicSeconds()))

    init(_ socket: FileHandle) {
        self.socket = socket
        // A socket that is closed at the other end is an error to write to, and no reason to end.
        signal(SIGPIPE, SIG_IGN)
    }

    var lastHeard: Double { state.withLock { $0.lastHeard } }

    func start(
        onFrame: @escaping @Sendable (inout WireReader) -> Void, onEnd: @escaping @Sendable (LinkError?) -> Void
    ) {
        reading.async { [self] in
            do {
                while let length = try read(8), let frame = try read(Int(wireBytes: length)) {
                    let pieces = try [[UInt8]](wireBytes: frame)
                    let message = try WireMessage(bytes: pieces[0], blocks: pieces.dropFirst().map { SharedArray($0) })
                    state.withLock { $0.lastHeard = monotonicSeconds() }
                    var reader = WireReader(message)
                    onFrame(&reader)
                }
                close()
                onEnd(nil)
            } catch {
                close()
                onEnd(LinkError(code: .broken, "\(error)"))
            }
        }
    }

    /// So many bytes; `nil` at the end.
    private func read(_ count: Int) throws -> [UInt8]? {
        var bytes: [UInt8] = []
        while bytes.count < count {
            guard let more = try socket.read(upToCount: count - bytes.count), !more.isEmpty else { return nil }
            bytes += more
        }
        return bytes
    }

    func send(_ bytes: RawSpan, _ blocks: [SharedArray<UInt8>]) throws(LinkError) {
        guard !state.withLock({ $0.isClosed }) else { throw .closed }
        let pieces = [bytes.copyBytes()] + blocks.map { Array($0) }
        writing.async { [self] in
            do {
                let frame = try pieces.wireBytes()
                try socket.write(contentsOf: Data(frame.count.wireBytes() + frame))
            } catch {
                close()
            }
        }
    }

    func close() {
        let isFirst = state.withLock { state in
            defer { state.isClosed = true }
            return !state.isClosed
        }
        if isFirst { shutdown(socket.fileDescriptor, CInt(SHUT_RDWR)) }
    }

    /// Two sockets that are connected to each other, and that no other process inherits by accident.
    static func ends() -> (FileHandle, FileHandle) {
        var ends: [CInt] = [0, 0]
        let kind = CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard unsafe socketpair(AF_UNIX, kind, 0, &ends) == 0 else { fatalError("no sockets: errno \(errno)") }
        return (
            FileHandle(fileDescriptor: ends[0], closeOnDealloc: true),
            FileHandle(fileDescriptor: ends[1], closeOnDealloc: true)
        )
    }
}
