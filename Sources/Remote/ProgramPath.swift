import Glibc

/// Where this program's file is.
package enum ProgramPath {
    /// Its absolute path, as the kernel knows it; nil where there is no /proc, or the file is gone.
    package static var current: String? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let count = unsafe readlink("/proc/self/exe", &buffer, buffer.count - 1)
        guard count > 0 else { return nil }
        let path = String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
        return path.hasSuffix(" (deleted)") ? nil : path
    }
}
