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
}
