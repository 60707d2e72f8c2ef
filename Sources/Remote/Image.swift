import Glibc
import Synchronization

/// An address in the program's code or constants, in a form that means the same in another process of that program.
package struct CodeAddress: Hashable, Sendable {
    /// Path of the shared library that holds it; empty for the executable itself.
    package let image: String
    /// Bytes from the image's first mapped byte.
    package let offset: UInt64
}

/// Where the executable and its libraries lie in this process, as `/proc/self/maps` tells it.
struct ImageMap: Sendable {
    struct Image: Hashable, Sendable {
        let path: String
        let range: Range<UInt>
    }

    let images: [Image]

    /// Reads the text of a `maps` file; each image spans from its first mapping to its last.
    ///
    /// Source: proc_pid_maps(5): `start-end perms offset device inode path`.
    init(maps: String) {
        var images: [Image] = []
        for line in maps.split(separator: "\n") {
            let fields = line.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: true)
            guard fields.count == 6, let slash = line.firstIndex(of: "/") else { continue }
            let bounds = fields[0].split(separator: "-")
            guard bounds.count == 2, let start = UInt(bounds[0], radix: 16), let end = UInt(bounds[1], radix: 16),
                start < end
            else { continue }
            let path = String(line[slash...])
            if let last = images.last, last.path == path {
                images[images.count - 1] = Image(path: path, range: last.range.lowerBound..<end)
            } else {
                images.append(Image(path: path, range: start..<end))
            }
        }
        self.images = images
    }

    /// The images of this process as they are now.
    static func current() -> ImageMap {
        ImageMap(maps: readFile("/proc/self/maps"))
    }

    func image(containing address: UInt) -> Image? {
        images.first { $0.range.contains(address) }
    }

    func image(at path: String) -> Image? {
        images.first { $0.path == path }
    }
}

extension CodeAddress {
    /// Images never move; libraries loaded later are found by reading the map again.
    private static let known = Mutex<ImageMap?>(nil)
    /// The executable's path as the map shows it.
    private static let executable: String = linkTarget("/proc/self/exe")

    private static func find(_ search: (ImageMap) -> ImageMap.Image?) -> ImageMap.Image? {
        known.withLock { known in
            if let image = known.flatMap(search) { return image }
            let current = ImageMap.current()
            known = current
            return search(current)
        }
    }

    /// Names the address of a function; `nil` if no file of the program holds it.
    package init?(of address: UInt) {
        guard let image = CodeAddress.find({ $0.image(containing: address) }) else { return nil }
        self.init(
            image: image.path == CodeAddress.executable ? "" : image.path,
            offset: UInt64(address - image.range.lowerBound))
    }

    /// Where that is in this process; `nil` if the image is not loaded here or is shorter.
    package var address: UInt? {
        let path = image.isEmpty ? CodeAddress.executable : image
        guard let found = CodeAddress.find({ $0.image(at: path) }), offset < UInt64(found.range.count) else {
            return nil
        }
        return found.range.lowerBound + UInt(offset)
    }

    /// First byte of the executable in memory.
    static var executableStart: UInt? { CodeAddress(image: "", offset: 0).address }
}

/// The whole text of a small file; empty if it can't be read.
func readFile(_ path: String) -> String {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return "" }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 14)
    while true {
        let count = unsafe read(descriptor, &chunk, chunk.count)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
        bytes += chunk[..<count]
    }
}

/// What a symbolic link points to; empty if it can't be read.
func linkTarget(_ path: String) -> String {
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = unsafe bytes.withUnsafeMutableBytes { bytes in
        unsafe readlink(path, bytes.baseAddress!.assumingMemoryBound(to: CChar.self), bytes.count)
    }
    return String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
}
