import Glibc
import Remote
import SharedMemoryLink

/// The file that this process runs, as it is copied to other hosts.
struct OwnExecutable: Sendable {
    /// Its path; the file there may have been replaced since.
    let path: String
    /// Its build ID in hexadecimal digits.
    let buildID: String
    /// What `uname -m` says here.
    let machine: String
    /// The open file, the one that runs in any case; stays open as long as this process lives.
    let descriptor: CInt
    /// Its size.
    let byteCount: Int

    /// Name of the file.
    var name: String { path.split(separator: "/").last.map(String.init) ?? "program" }

    /// Opened once.
    static let current: Result<OwnExecutable, SystemError> = Result { () throws(SystemError) in
        let descriptor = unsafe open("/proc/self/exe", O_RDONLY | O_CLOEXEC)
        var status = stat()
        guard descriptor >= 0, unsafe fstat(descriptor, &status) == 0 else {
            throw SystemError("read this program's own file, /proc/self/exe", errno: errno)
        }
        return OwnExecutable(
            path: ownPath, buildID: BuildID.current.description, machine: ownMachine, descriptor: descriptor,
            byteCount: Int(status.st_size))
    }

    /// What cksum(1) says of it; takes a while for a large file, the first time.
    static let currentChecksum: UInt32 = {
        guard case .success(let file) = current else { return 0 }
        var sum = Checksum()
        var chunk = [UInt8](repeating: 0, count: 1 << 18)
        var offset = 0
        while offset < file.byteCount {
            let count = unsafe pread(file.descriptor, &chunk, chunk.count, off_t(offset))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }  // it differs then, which is noticed on the other side
            sum.add(chunk[..<count])
            offset += count
        }
        return sum.value
    }()

    private static let ownPath: String = {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = unsafe bytes.withUnsafeMutableBytes {
            unsafe readlink("/proc/self/exe", $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
        }
        let path = String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
        let removed = " (deleted)"
        return path.hasSuffix(removed) ? String(path.dropLast(removed.count)) : path
    }()

    private static let ownMachine: String = {
        var names = utsname()
        guard unsafe uname(&names) == 0 else { return "" }
        return unsafe withUnsafeBytes(of: &names.machine) {
            unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
    }()
}

/// The sum that the POSIX tool `cksum` computes.
///
/// Source: POSIX.1-2017, cksum: CRC of ISO/IEC 8802-3, most significant bit first, of the bytes and then their number.
struct Checksum {
    private var remainder: UInt32 = 0
    private var byteCount = 0

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index) << 24) { value, _ in
            value & 0x8000_0000 != 0 ? value << 1 ^ 0x04c1_1db7 : value << 1
        }
    }

    mutating func add(_ bytes: ArraySlice<UInt8>) {
        byteCount += bytes.count
        remainder = unsafe Checksum.table.withUnsafeBufferPointer { table in
            unsafe bytes.withUnsafeBufferPointer { bytes in
                var value = remainder
                // SAFETY: both buffers are valid here; the index into the table is below 256.
                for index in 0..<bytes.count {
                    value = unsafe value << 8 ^ table[Int(value >> 24 ^ UInt32(bytes[index]))]
                }
                return value
            }
        }
    }

    /// The sum of what was added.
    var value: UInt32 {
        var (value, count) = (remainder, byteCount)
        while count > 0 {
            value = value << 8 ^ Checksum.table[Int(value >> 24 ^ UInt32(count & 0xff))]
            count >>= 8
        }
        return ~value
    }
}
