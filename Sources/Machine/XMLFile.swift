internal import Glibc

/// The bytes of a topology file and a 0 at the end, once it is clear that hwloc can be trusted with it.
///
/// hwloc says no more than "failed"; what is wrong with a file is found out here, so that the user can mend it.
func readXML(_ path: String) throws(TopologyError) -> [CChar] {
    func failure(_ code: TopologyError.Code, _ problem: String, _ cure: String) -> TopologyError {
        TopologyError(code: code, source: "the topology file \(path)", problem: problem, cure: cure)
    }
    let text: [UInt8]
    do {
        text = try readFile(path, limit: 64 << 20)
    } catch {
        throw failure(.unreadable, "can't be read: \(error)", "name a file written by: lstopo --of xml FILE")
    }
    let cure = "write one with hwloc 2: lstopo --of xml FILE"
    guard let root = text.firstRange(of: Array("<topology".utf8)) else {
        throw failure(.notTopology, "holds no <topology> of hwloc's", cure)
    }
    let end = text[root.upperBound...].firstIndex(of: UInt8(ascii: ">")) ?? text.endIndex
    let attributes = String(decoding: text[root.upperBound..<end], as: UTF8.self)
    if let version = attributes.firstRange(of: "version=\"") {
        let number = attributes[version.upperBound...].prefix { $0 != "\"" }
        guard number.hasPrefix("2.") || number.hasPrefix("1.") else {
            throw failure(.wrongVersion, "is of version \(number) of hwloc's format, 2 is the newest supported", cure)
        }
    }
    return text.map { CChar(bitPattern: $0) } + [0]
}

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
