import Synchronization
import Wire

/// How values of a type cross to another process: as themselves, or member by member if they are tuples.
///
/// Swift's tuples can't conform to `WireCodable`; bodies return and take them all the time (`zip`, `enumerated()`,
/// dictionaries). Their members' types and offsets are read from the type's metadata, once per type.
indirect enum TravellingType: Sendable {
    /// - Parameter isPlain: Whether values are their bytes, and lists of them one block.
    case coded(any (WireEncodable & WireDecodable & SendableMetatype).Type, isPlain: Bool)
    case tuple([(offset: Int, type: TravellingType)])
    /// No conformance was found; the name of the type that lacks it.
    case refused(String)

    private static let known = Mutex<[ObjectIdentifier: TravellingType]>([:])

    /// How `type` travels.
    static func of(_ type: any Any.Type) -> TravellingType {
        let key = ObjectIdentifier(type)
        if let found = known.withLock({ $0[key] }) { return found }
        let found = inspect(type)
        known.withLock { $0[key] = found }
        return found
    }

    private static func inspect(_ type: any Any.Type) -> TravellingType {
        if let coded = type as? any (WireEncodable & WireDecodable & SendableMetatype).Type {
            // `travelsAsBlock` says what the conformance does; `Plain`, that its bytes may be looked at.
            return .coded(coded, isPlain: coded is any Plain.Type && coded.travelsAsBlock)
        }
        guard let members = TupleMetadata(type)?.members else { return .refused(readableName(of: type)) }
        return .tuple(members.map { ($0.offset, inspect($0.type)) })
    }

    /// The first type in it that can't travel; `nil` if all can.
    var refusedName: String? {
        switch self {
        case .coded: nil
        case .refused(let name): name
        case .tuple(let members): members.lazy.compactMap(\.type.refusedName).first
        }
    }

    /// Writes the value that lies at `address`.
    @unsafe
    func write(at address: UnsafeRawPointer, to output: inout WireWriter) {
        switch self {
        case .coded(let type, _):
            func write<T: WireEncodable>(_: T.Type) {
                unsafe output.write(address.assumingMemoryBound(to: T.self).pointee)
            }
            write(type)
        case .tuple(let members):
            for member in members { unsafe member.type.write(at: address + member.offset, to: &output) }
        case .refused(let name):
            preconditionFailure("\(name) was refused before anything was written")
        }
    }

    /// Reads a value into the uninitialised memory at `address`; nothing is left there when it throws.
    @unsafe
    func read(into address: UnsafeMutableRawPointer, from input: inout WireReader) throws(WireError) {
        switch self {
        case .coded(let type, _):
            func read<T: WireDecodable>(_: T.Type) throws(WireError) {
                let value: T = try input.read()
                unsafe address.initializeMemory(as: T.self, to: value)
            }
            try read(type)
        case .tuple(let members):
            for (index, member) in members.enumerated() {
                do {
                    try unsafe member.type.read(into: address + member.offset, from: &input)
                } catch {
                    for done in members[..<index] { unsafe done.type.destroy(at: address + done.offset) }
                    throw error
                }
            }
        case .refused(let name):
            throw input.invalid("\(name) can't travel")
        }
    }

    @unsafe
    private func destroy(at address: UnsafeMutableRawPointer) {
        switch self {
        case .coded(let type, _):
            func destroy<T>(_: T.Type) { unsafe address.assumingMemoryBound(to: T.self).deinitialize(count: 1) }
            destroy(type)
        case .tuple(let members):
            for member in members { unsafe member.type.destroy(at: address + member.offset) }
        case .refused:
            break
        }
    }
}

/// The member types and offsets of a tuple type.
///
/// Source: the Swift repository's `include/swift/ABI/Metadata.h`, `TargetTupleTypeMetadata`: kind (0x301), member count,
/// labels, then a type and a 32-bit offset (in a word) for each member. The layout is part of Swift's stable ABI.
struct TupleMetadata {
    private typealias AnyType = any Any.Type

    let members: [(type: any Any.Type, offset: Int)]

    init?(_ type: any Any.Type) {
        let word = MemoryLayout<Int>.size
        // SAFETY: a metatype is a pointer to the type's metadata, which is never freed and starts with its kind.
        let metadata = unsafe unsafeBitCast(type, to: UnsafeRawPointer.self)
        guard unsafe metadata.load(as: Int.self) == 0x301 else { return nil }
        let count = unsafe metadata.load(fromByteOffset: word, as: Int.self)
        members = (0..<count).map { index in
            let entry = unsafe metadata + word * (3 + 2 * index)
            // SAFETY: by the layout above, each entry is a metadata pointer and an offset.
            let member = unsafe unsafeBitCast(entry.load(as: UnsafeRawPointer.self), to: AnyType.self)
            return (member, Int(unsafe entry.load(fromByteOffset: word, as: UInt32.self)))
        }
    }
}
