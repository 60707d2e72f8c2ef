import Glibc
import SharedMemoryLink

/// A descriptor that text is written to.
struct FileOutput {
    /// Where errors go.
    static let standardError = FileOutput(descriptor: STDERR_FILENO)

    /// The descriptor's number.
    let descriptor: CInt

    /// Where results go.
    static let standardOutput = FileOutput(descriptor: STDOUT_FILENO)

    /// Writes all of `bytes`.
    ///
    /// - Throws: `SystemError` if the other side does not take them: a full disk, say.
    func write(_ bytes: [UInt8]) throws(SystemError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            // SAFETY: the kernel reads the bytes during the call and keeps no pointer.
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw SystemError("write the output", errno: errno) }
            rest = rest.dropFirst(count)
        }
    }

    /// Writes a line.
    ///
    /// - Throws: `SystemError` if the other side does not take it.
    func writeLine(_ text: String) throws(SystemError) {
        try write(Array("\(text)\n".utf8))
    }

    /// Writes all of `text`, or as much as the other side takes: nobody is left to be told of a failure.
    func write(_ text: String) {
        try? write(Array(text.utf8))
    }

    /// Writes a file in place of what it holds.
    ///
    /// - Throws: ``FileOutputError`` that names the file and the cure.
    static func write(_ text: String, toFile path: String) throws(FileOutputError) {
        // SAFETY: the kernel reads the path during the call and keeps no pointer.
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw FileOutputError(path: path, errno: errno) }
        do {
            try FileOutput(descriptor: descriptor).write(Array(text.utf8))
        } catch {
            close(descriptor)
            throw FileOutputError(path: path, errno: error.errno)
        }
        // Some file systems say only now that the disk is full.
        guard close(descriptor) == 0 else { throw FileOutputError(path: path, errno: errno) }
    }
}

/// A file that could not be written.
struct FileOutputError: Error, CustomStringConvertible {
    let path: String
    let errno: CInt

    /// Which file, why, and how to mend it.
    var description: String {
        let cure =
            switch errno {
            case ENOENT, ENOTDIR: "; make its directory first"
            case EACCES, EPERM, EROFS, EISDIR: "; name a file that you may write, or '-' for standard output"
            case ENOSPC, EDQUOT, EFBIG: "; make room, or name a file elsewhere"
            default: ""
            }
        return "can't write \(path): \(unsafe String(cString: strerror(errno)))\(cure)"
    }
}
