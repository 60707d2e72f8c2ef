import Glibc
import Synchronization

/// The process that a body runs in.
public enum Worker {
    private static let number = Atomic<Int>(WorkerID.driver.rawValue)

    /// This process's number: in a body the worker's, outside of one 1, the driver's.
    public static var id: WorkerID { idOfTask ?? WorkerID(number.load(ordering: .relaxed)) }

    /// In a body that a process runs for a driver that it has joined: its number there. It may have joined several.
    @TaskLocal package static var idOfTask: WorkerID?

    /// Makes this process worker `id`; called once, before any body runs.
    package static func become(_ id: WorkerID) {
        number.store(id.rawValue, ordering: .relaxed)
    }
}

/// The name of the host this process runs on, as `hostname` prints it.
public func hostName() -> String {
    unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
        // SAFETY: the last byte is ours: a name cut off at 255 bytes may come without its end.
        guard unsafe gethostname(buffer.baseAddress!, 255) == 0 else { return "localhost" }
        unsafe buffer[255] = 0
        return unsafe String(cString: buffer.baseAddress!)
    }
}

/// The name of the program's file.
package let programName = String(linkTarget("/proc/self/exe").split(separator: "/").last ?? "program")

/// The operating system's number of this process.
public func processID() -> Int {
    Int(getpid())
}
