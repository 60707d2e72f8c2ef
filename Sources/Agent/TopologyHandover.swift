import Glibc
import Machine
import Placement
import SharedMemoryLink
import Synchronization
import Wire

extension Topology: WireCodable {}

/// Hands what a driver knows of the machine on to its workers, so that a host is explored once.
///
/// On a large machine that takes tens of milliseconds of system calls, which some hundred workers would all make.
enum TopologyHandover {
    /// A descriptor of the topology's bytes, to be read, for as long as this process lives; -1 as long as there is none.
    private static let descriptor = Mutex<CInt>(-1)

    /// A descriptor of the topology's bytes, owned here; nil if this process has not looked at the machine, or the bytes
    /// can't be handed on: then a worker that asks looks itself.
    static func ofThisHost() -> CInt? {
        descriptor.withLock { descriptor in
            if descriptor >= 0 { return descriptor }
            guard let topology = Topology.known, let bytes = try? topology.wireBytes(),
                let memory = try? SharedMemory(byteCount: bytes.count, named: "muster-topology"),
                // SAFETY: the array's bytes are there during the call.
                (try? unsafe bytes.withUnsafeBytes { unsafe try memory.write($0, at: 0) }) != nil,
                let file = try? memory.readOnlyDescriptor()
            else { return nil }
            descriptor = file.release()
            return descriptor
        }
    }

    /// Lets this worker take what its driver knows.
    ///
    /// - Parameter descriptor: What the driver gave, owned by the receiver; reads as empty if it knew nothing.
    static func take(from descriptor: consuming Descriptor) {
        let file = Held(descriptor)
        Topology.inherit { file.bytes().flatMap { try? Topology(wireBytes: $0) } }
    }

    private final class Held: Sendable {
        private let descriptor: Mutex<Descriptor>

        init(_ descriptor: consuming Descriptor) { self.descriptor = Mutex(descriptor) }

        /// All bytes of the file; nil if there are none.
        func bytes() -> [UInt8]? {
            descriptor.withLock { descriptor in
                var status = stat()
                guard unsafe fstat(descriptor.number, &status) == 0, status.st_size > 0 else { return nil }
                var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
                // SAFETY: at most the array's size is written.
                let count = unsafe bytes.withUnsafeMutableBytes {
                    unsafe pread(descriptor.number, $0.baseAddress, $0.count, 0)
                }
                return count == bytes.count ? bytes : nil
            }
        }
    }
}
