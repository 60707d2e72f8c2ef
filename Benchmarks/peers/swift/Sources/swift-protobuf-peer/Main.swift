import SwiftProtobuf

/// swift-protobuf beside Muster: the program's values are copied into messages, as a program with types of its own
/// does, then written; what is read are messages that own their fields.
@main struct Main {
    static func main() throws {
        let peer = Peer("swift-protobuf")
        try run(peer, .doubles, WireData.doubles(), Pb_Doubles.init, checksum, checksum)
        try run(peer, .records, WireData.records(), Pb_Records.init, checksum, checksum)
        try run(peer, .log, WireData.log(), Pb_Log.init, checksum, checksum)
        try run(peer, .mesh, WireData.mesh(), Pb_Mesh.init, checksum, checksum)
        try run(peer, .mk48, WireData.mk48(), Pb_Updates.init, checksum, checksum)
        peer.finish()
    }

    /// Measures both directions of one shape.
    @inline(__always)
    private static func run<Element, Root: Message>(
        _ peer: Peer, _ shape: Shape, _ values: @autoclosure () -> [Element], _ makeRoot: ([Element]) -> Root,
        _ checksumOfValues: ([Element]) -> UInt64, _ checksumOfRoot: (Root) -> UInt64
    ) throws {
        guard peer.wants(shape) else { return }
        let values = values()
        let expected = checksumOfValues(values)
        let message: [UInt8] = try makeRoot(values).serializedBytes()
        try peer.measure(shape, "encode", "swift-protobuf: encode", byteCount: message.count) {
            let bytes: [UInt8] = try makeRoot(values).serializedBytes()
            blackHole(bytes)
        }
        try peer.measure(shape, "decode", "swift-protobuf: decode, every field read", byteCount: message.count) {
            let sum = checksumOfRoot(try Root(serializedBytes: message))
            precondition(sum == expected, "the decoded value is another")
        }
    }
}
