import Glibc
import Remote
import SharedMemoryLink
import Synchronization

/// A file with a program, as it is copied to other hosts.
final class ProgramFile: Sendable {
    /// Its path; the file there may have been replaced since.
    let path: String
    /// Its build ID in hexadecimal digits.
    let buildID: String
    /// What `uname -m` says of the machines that it is for.
    let machine: String
    /// The open file.
    let descriptor: CInt
    /// Its size.
    let byteCount: Int

    private let sum = Mutex<UInt32?>(nil)

    /// The file that this process runs, opened once.
    static let own: Result<ProgramFile, SystemError> = Result { () throws(SystemError) in
        // Not by its path, where another build may lie by now.
        try ProgramFile(
            "/proc/self/exe", called: ProgramPath.current ?? CommandLine.arguments[0],
            buildID: BuildID.current.description)
    }

    /// Opens a file.
    init(
        _ file: String, called path: String, buildID: String, machine: String = ProgramFile.ownMachine
    ) throws(SystemError) {
        let descriptor = unsafe open(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemError("read the program's file \(file)", errno: errno) }
        var status = stat()
        let code = unsafe fstat(descriptor, &status)
        precondition(code == 0, "an open file has a size")
        self.descriptor = descriptor
        (self.path, self.buildID, self.machine, byteCount) = (path, buildID, machine, Int(status.st_size))
    }

    deinit { close(descriptor) }

    /// Name of the file.
    var name: String { path.split(separator: "/").last.map(String.init) ?? "program" }

    /// What cksum(1) says of it; takes a while for a large file, the first time.
    var checksum: UInt32 {
        sum.withLock { sum in
            if let sum { return sum }
            var checksum = Checksum()
            var chunk = [UInt8](repeating: 0, count: 1 << 18)
            var offset = 0
            while offset < byteCount {
                let count = unsafe pread(descriptor, &chunk, chunk.count, off_t(offset))
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { break }  // it differs then, which is noticed on the other side
                checksum.add(chunk[..<count])
                offset += count
            }
            sum = checksum.value
            return checksum.value
        }
    }

    /// What `uname -m` says here.
    static let ownMachine: String = {
        var names = utsname()
        guard unsafe uname(&names) == 0 else { return "" }
        return unsafe withUnsafeBytes(of: &names.machine) {
            unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
    }()
}
