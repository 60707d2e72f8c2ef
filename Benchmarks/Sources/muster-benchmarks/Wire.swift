import CFloors
import Foundation
import Muster

/// One pass over a shape's data, in one format and direction.
struct WireOperation: Sendable {
    /// As `muster.encode`.
    let key: String
    let label: String
    /// Bytes of the message.
    let byteCount: Int
    /// Elements that one pass takes of the shape's data; all unless told.
    var fraction = 1.0
    /// Makes the pass.
    let pass: @Sendable () throws -> Void
}

/// One kind of data, encoded and decoded.
///
/// What encodes and decodes is written out per shape, rather than generic, so that nothing but the serializers
/// is measured. Decoded values are checked: every field is read, and their sum compared.
struct WireShape: Sendable {
    /// As `records`.
    let name: String
    let title: String
    let unit: Unit
    /// What one pass works through, in the unit's numerator: million records, or GB.
    let amount: Double
    /// Records of the data, to say how many allocations one of them takes.
    let recordCount: Int
    /// Passes that are timed together.
    let passes: Int
    /// Makes the data, and what is measured with it.
    let operations: @Sendable () throws -> [WireOperation]
    /// The same data by way of Foundation's encoders.
    let foundation: @Sendable () throws -> [WireOperation]

    static let all = [doubles, records, log, mesh, mk48]
}

/// Measures a shape; Foundation's encoders only in a benchmark of their own, since they take their time.
struct WireBenchmark: Benchmark {
    let shape: WireShape
    var isSlow = false

    var name: String { "wire-\(shape.name)" + (isSlow ? "-foundation" : "") }
    var title: String { shape.title }
    var unit: Unit { shape.unit }

    func run(_ host: Host) async throws -> [Series] {
        // Everything on the main thread: its memory is where freed pages can be kept.
        floor_keep_memory()
        let operations = try await MainActor.run { isSlow ? try shape.foundation() : try shape.operations() }
        var lanes: [Lane] = []
        for operation in operations {
            let allocations = try await MainActor.run {
                try operation.pass()
                let before = floor_allocations()
                try operation.pass()
                return floor_allocations() - before
            }
            let isFloor = operation.key == "copy" || operation.key == "copy.read"
            let facts = Facts(
                byteCount: operation.byteCount,
                allocations: Double(allocations) / (Double(shape.recordCount) * operation.fraction))
            let passes = isSlow ? 1 : shape.passes
            lanes.append(
                Lane(
                    key: operation.key, label: operation.label,
                    floor: isFloor ? nil : operation.key.hasSuffix("decode.read") ? "copy.read" : "copy", facts: facts
                ) {
                    try await MainActor.run {
                        let start = floor_seconds()
                        for _ in 0..<passes { try operation.pass() }
                        return shape.amount * operation.fraction * Double(passes) / (floor_seconds() - start)
                    }
                })
        }
        return try await alternate(repeats: isSlow ? 3 : 9, lanes)
    }
}

/// Runs one operation some times and does nothing else: for a profiler or a counter of instructions.
///
/// - Parameter request: As `records/muster.decode`.
func runAlone(_ request: String, times: Int) throws -> Bool {
    for shape in WireShape.all where request.hasPrefix(shape.name + "/") {
        let key = request.dropFirst(shape.name.count + 1)
        let isOurs = !key.hasPrefix("json.") && !key.hasPrefix("plist.")
        for operation in isOurs ? try shape.operations() : try shape.foundation() where operation.key == key {
            for _ in 0..<times { try operation.pass() }
            return true
        }
    }
    return false
}

private func check(_ sum: UInt64, _ expected: UInt64) {
    precondition(sum == expected, "the decoded value is another")
}

// MARK: Floors

/// Copies of the message into pages that the process has.
private func copies(of bytes: [UInt8], reading: (@Sendable () -> UInt64)? = nil)
    -> [WireOperation]
{
    nonisolated(unsafe) let target = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 64)
    let copy: @Sendable () -> Void = {
        // SAFETY: the target has as many bytes, is another block, and is never freed.
        unsafe bytes.withUnsafeBytes { unsafe target.copyMemory(from: $0) }
        unsafe blackHole(target)
    }
    copy()
    var operations = [
        WireOperation(key: "copy", label: "memcpy of the message", byteCount: bytes.count, pass: copy)
    ]
    if let reading {
        operations.append(
            WireOperation(key: "copy.read", label: "memcpy, and every field read", byteCount: bytes.count) {
                copy()
                blackHole(reading())
            })
    }
    return operations
}

// MARK: Views

/// The message read where it lies, see `WireViews.swift`.
private func readInPlace(_ message: [UInt8], pass: @escaping @Sendable () throws -> Void) -> WireOperation {
    WireOperation(
        key: "muster.views.verified", label: "Muster: verify, read in place", byteCount: message.count, pass: pass)
}

// MARK: Foundation

/// Foundation's encoders and decoders for the first `count` elements.
private func foundationLanes<T: Codable & Sendable>(
    _ elements: [T], count: Int, checksum: @escaping @Sendable ([T]) -> UInt64
) throws -> [WireOperation] {
    let some = Array(elements.prefix(count))
    let fraction = Double(some.count) / Double(elements.count)
    let part = some.count < elements.count ? ", \(some.count) elements" : ""
    let expected = checksum(some)
    let json = try JSONEncoder().encode(some)
    let list = try binaryListEncoder().encode(some)
    return [
        WireOperation(
            key: "json.encode", label: "JSON: encode\(part)", byteCount: json.count, fraction: fraction
        ) {
            blackHole(try JSONEncoder().encode(some))
        },
        WireOperation(
            key: "json.decode", label: "JSON: decode\(part)", byteCount: json.count, fraction: fraction
        ) {
            check(checksum(try JSONDecoder().decode([T].self, from: json)), expected)
        },
        WireOperation(
            key: "plist.encode", label: "binary plist: encode\(part)", byteCount: list.count,
            fraction: fraction
        ) {
            blackHole(try binaryListEncoder().encode(some))
        },
        WireOperation(
            key: "plist.decode", label: "binary plist: decode\(part)", byteCount: list.count,
            fraction: fraction
        ) {
            check(checksum(try PropertyListDecoder().decode([T].self, from: list)), expected)
        },
    ]
}

private func binaryListEncoder() -> PropertyListEncoder {
    let encoder = PropertyListEncoder()
    encoder.outputFormat = .binary
    return encoder
}

// MARK: The shapes

extension WireShape {
    static let doubles = WireShape(
        name: "doubles", title: "10,000,000 Float64", unit: .gigabytesPerSecond, amount: 0.08,
        recordCount: 10_000_000, passes: 1
    ) {
        let values = WireData.doubles()
        let bytes = try encode(values)
        let expected = checksum(values)
        return copies(of: bytes, reading: { checksum(values) }) + [
            WireOperation(key: "muster.encode", label: "Muster: encode", byteCount: bytes.count) {
                blackHole(try encode(values))
            },
            WireOperation(key: "muster.decode", label: "Muster: decode", byteCount: bytes.count) {
                blackHole(try [Double](wireBytes: bytes))
            },
            WireOperation(key: "muster.decode.read", label: "Muster: decode, every field read", byteCount: bytes.count)
            {
                check(checksum(try [Double](wireBytes: bytes)), expected)
            },
            readInPlace(bytes) { check(try checksum(ofDoublesIn: bytes), expected) },
        ]
    } foundation: {
        try foundationLanes(WireData.doubles(), count: 200_000) { checksum($0) }
    }

    static let records = WireShape(
        name: "records", title: "100,000 records {Int64, Float64, String of 12, [Int32] of 4}", unit: .millionPerSecond,
        amount: 0.1, recordCount: 100_000, passes: 5
    ) {
        let values = WireData.records()
        let bytes = try encode(values)
        let expected = checksum(values)
        return copies(of: bytes) + [
            WireOperation(key: "muster.encode", label: "Muster: encode", byteCount: bytes.count) {
                blackHole(try encode(values))
            },
            WireOperation(
                key: "muster.encode.reserved", label: "Muster: encode, room reserved", byteCount: bytes.count
            ) {
                blackHole(try encode(values, reserving: bytes.count))
            },
            WireOperation(key: "muster.decode", label: "Muster: decode, every field read", byteCount: bytes.count) {
                check(checksum(try [Record](wireBytes: bytes)), expected)
            },
            readInPlace(bytes) { check(try checksum(ofRecordsIn: bytes), expected) },
            WireOperation(
                key: "swift.views", label: "hand-written Swift: in place, checked", byteCount: bytes.count
            ) {
                check(try checksumByHand(ofRecordsIn: bytes, count: values.count), expected)
            },
            WireOperation(
                key: "swift.decode", label: "hand-written Swift: decode, unchecked", byteCount: bytes.count
            ) {
                check(checksum(decodeByHand(bytes, count: values.count)), expected)
            },
            WireOperation(key: "checksum", label: "every field read, nothing decoded", byteCount: bytes.count) {
                check(checksum(values), expected)
            },
        ]
    } foundation: {
        try foundationLanes(WireData.records(), count: .max) { checksum($0) }
    }

    static let log = WireShape(
        name: "log", title: "10,000 lines of a web server's log", unit: .millionPerSecond, amount: 0.01,
        recordCount: 10_000, passes: 20
    ) {
        let values = WireData.log()
        let bytes = try encode(values)
        let expected = checksum(values)
        return copies(of: bytes) + [
            WireOperation(key: "muster.encode", label: "Muster: encode", byteCount: bytes.count) {
                blackHole(try encode(values))
            },
            WireOperation(key: "muster.decode", label: "Muster: decode, every field read", byteCount: bytes.count) {
                check(checksum(try [LogLine](wireBytes: bytes)), expected)
            },
            readInPlace(bytes) { check(try checksum(ofLogLinesIn: bytes), expected) },
            WireOperation(key: "checksum", label: "every field read, nothing decoded", byteCount: bytes.count) {
                check(checksum(values), expected)
            },
        ]
    } foundation: {
        try foundationLanes(WireData.log(), count: .max) { checksum($0) }
    }

    static let mesh = WireShape(
        name: "mesh", title: "125,000 triangles of 4 × 3 Float32", unit: .gigabytesPerSecond, amount: 0.006,
        recordCount: 125_000, passes: 10
    ) {
        let values = WireData.mesh()
        let bytes = try encode(values)
        let expected = checksum(values)
        return copies(of: bytes, reading: { checksum(values) }) + [
            WireOperation(key: "muster.encode", label: "Muster: encode", byteCount: bytes.count) {
                blackHole(try encode(values))
            },
            WireOperation(key: "muster.decode", label: "Muster: decode", byteCount: bytes.count) {
                blackHole(try [Triangle](wireBytes: bytes))
            },
            WireOperation(key: "muster.decode.read", label: "Muster: decode, every field read", byteCount: bytes.count)
            {
                check(checksum(try [Triangle](wireBytes: bytes)), expected)
            },
            readInPlace(bytes) { check(try checksum(ofTrianglesIn: bytes), expected) },
        ]
    } foundation: {
        try foundationLanes(WireData.mesh(), count: 20_000) { checksum($0) }
    }

    static let mk48 = WireShape(
        name: "mk48", title: "1,000 updates of a game, 19,481 ships in them; million ships/s", unit: .millionPerSecond,
        amount: 0.019481, recordCount: 19_481, passes: 20
    ) {
        let values = WireData.mk48()
        let count = values.reduce(0) { $0 + $1.contacts.count }
        precondition(count == 19_481, "the generator makes \(count) ships")
        let bytes = try encode(values)
        let expected = checksum(values)
        return copies(of: bytes) + [
            WireOperation(key: "muster.encode", label: "Muster: encode", byteCount: bytes.count) {
                blackHole(try encode(values))
            },
            WireOperation(key: "muster.decode", label: "Muster: decode, every field read", byteCount: bytes.count) {
                check(checksum(try [Update](wireBytes: bytes)), expected)
            },
            readInPlace(bytes) { check(try checksum(ofUpdatesIn: bytes), expected) },
            WireOperation(key: "checksum", label: "every field read, nothing decoded", byteCount: bytes.count) {
                check(checksum(values), expected)
            },
        ]
    } foundation: {
        try foundationLanes(WireData.mk48(), count: .max) { checksum($0) }
    }
}

// Written out, so that each is one function in a profile.

@inline(never)
private func encode(_ values: [Double]) throws -> [UInt8] { try values.wireBytes() }

@inline(never)
private func encode(_ values: [Record]) throws -> [UInt8] { try values.wireBytes() }

@inline(never)
private func encode(_ values: [LogLine]) throws -> [UInt8] { try values.wireBytes() }

@inline(never)
private func encode(_ values: [Triangle]) throws -> [UInt8] { try values.wireBytes() }

@inline(never)
private func encode(_ values: [Update]) throws -> [UInt8] { try values.wireBytes() }

@inline(never)
private func encode(_ values: [Record], reserving byteCount: Int) throws -> [UInt8] {
    var output = WireWriter(reserving: byteCount)
    values.write(to: &output)
    return try output.finish()
}
