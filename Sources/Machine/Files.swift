internal import Glibc

/// Why a file could not be read.
enum FileError: Error, CustomStringConvertible {
    case call(errno: CInt)
    case tooLarge(limit: Int)

    var description: String {
        switch self {
        case .call(let errno): errorText(errno)
        case .tooLarge(let limit): "larger than \(limit) bytes"
        }
    }
}

/// The bytes of a file, of at most `limit` bytes.
func readFile(_ path: String, limit: Int) throws(FileError) -> [UInt8] {
    // SAFETY: the path is a string that ends in 0 for the time of the call.
    let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw .call(errno: errno) }
    defer { close(file) }
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 1 << 16)
    while true {
        // SAFETY: `read` writes at most the block's size into it and keeps no pointer.
        let count = unsafe block.withUnsafeMutableBytes { unsafe read(file, $0.baseAddress, $0.count) }
        if count < 0, errno == EINTR { continue }
        guard count >= 0 else { throw .call(errno: errno) }
        guard count > 0 else { return bytes }
        guard bytes.count + count <= limit else { throw .tooLarge(limit: limit) }
        bytes += block[..<count]
    }
}

/// The names of what a directory holds, in no order; none if it can't be read.
package func names(inDirectory path: String) -> [String] {
    guard let directory = unsafe opendir(path) else { return [] }
    defer { unsafe closedir(directory) }
    var names: [String] = []
    // SAFETY: an entry is there until the next call; its name ends in 0 and is copied.
    while let entry = unsafe readdir(directory) {
        unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
            names.append(unsafe String(cString: UnsafeRawPointer(name).assumingMemoryBound(to: CChar.self)))
        }
    }
    return names
}
