import Glibc

/// A descriptor that text is written to.
struct FileOutput {
    /// Where errors go.
    static let standardError = FileOutput(descriptor: STDERR_FILENO)

    /// The descriptor's number.
    let descriptor: CInt

    /// Writes all of `text`, or as much as the other side takes: nobody is left to be told of a failure.
    func write(_ text: String) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            // SAFETY: the kernel reads the bytes during the call and keeps no pointer.
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}
