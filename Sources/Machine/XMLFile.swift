/// Where a topology is taken from, as errors name it.
func topologyFile(_ path: String) -> String { "the topology file \(path)" }

/// The bytes of a topology file.
func readXML(_ path: String) throws(TopologyError) -> [UInt8] {
    do {
        return try readFile(path, limit: 64 << 20)
    } catch {
        throw TopologyError(
            code: .unreadable, source: topologyFile(path), problem: "can't be read: \(error)",
            cure: "name a file written by: lstopo --of xml FILE")
    }
}

/// Finds out what is wrong with a topology file, as far as that can be seen without hwloc.
///
/// hwloc says no more than "failed", which helps nobody to mend a file.
func checkXML(_ text: [UInt8], named path: String) throws(TopologyError) {
    let cure = "write one with hwloc 2: lstopo --of xml FILE"
    guard let root = text.firstRange(of: Array("<topology".utf8)) else {
        throw TopologyError(
            code: .notTopology, source: topologyFile(path), problem: "holds no <topology> of hwloc's", cure: cure)
    }
    let end = text[root.upperBound...].firstIndex(of: UInt8(ascii: ">")) ?? text.endIndex
    let attributes = String(decoding: text[root.upperBound..<end], as: UTF8.self)
    if let version = attributes.firstRange(of: "version=\"") {
        let number = attributes[version.upperBound...].prefix { $0 != "\"" }
        guard number.hasPrefix("2.") || number.hasPrefix("1.") else {
            throw TopologyError(
                code: .wrongVersion, source: topologyFile(path),
                problem: "is of version \(number) of hwloc's format, 2 is the newest supported", cure: cure)
        }
    }
    do {
        try XMLScanner.check(text)
    } catch {
        throw TopologyError(
            code: .notTopology, source: topologyFile(path),
            problem: "is malformed at line \(error.line): \(error.problem)",
            cure: cure)
    }
}
