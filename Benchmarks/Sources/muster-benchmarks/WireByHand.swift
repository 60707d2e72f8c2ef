/// What Swift's own String and Array allow at best: the records of a message that Muster wrote, read without checks by
/// code that knows nothing but them.
@inline(never)
func decodeByHand(_ message: [UInt8], count: Int) -> [Record] {
    // SAFETY: for messages of `WireData.records()` only, which are as long as what is read here says.
    unsafe message.withUnsafeBytes { bytes in
        // The number of records, and of each its fields: lengths below 253 take a byte.
        var next = 5
        return unsafe [Record](unsafeUninitializedCapacity: count) { records, filled in
            while filled < count {
                let id = unsafe bytes.loadUnaligned(fromByteOffset: next, as: Int64.self)
                let score = unsafe bytes.loadUnaligned(fromByteOffset: next + 8, as: Double.self)
                let nameCount = Int(unsafe bytes[next + 16])
                next += 17
                let source = unsafe UnsafeRawBufferPointer(rebasing: bytes[next..<next + nameCount])
                let name = unsafe String(unsafeUninitializedCapacity: nameCount) { text in
                    unsafe UnsafeMutableRawBufferPointer(text).copyMemory(from: source)
                    return nameCount
                }
                next += nameCount
                let valueCount = Int(unsafe bytes[next])
                next += 1
                // Not `Array(unsafeUninitializedCapacity:)` nor `Array(repeating:count:)`: they look for the metadata
                // of the array's storage each time, some 300 instructions.
                var values: [Int32] = []
                values.reserveCapacity(valueCount)
                for index in 0..<valueCount {
                    values.append(unsafe bytes.loadUnaligned(fromByteOffset: next + 4 * index, as: Int32.self))
                }
                next += 4 * valueCount
                unsafe records.initializeElement(
                    at: filled, to: Record(id: id, score: score, name: name, values: values))
                filled += 1
            }
        }
    }
}

/// What Swift's own spans allow at best: the same records read in place, with the checks of bounds and of UTF-8, by code
/// that knows nothing but them and keeps its position to itself.
@inline(never)
func checksumByHand(ofRecordsIn message: [UInt8], count: Int) throws -> UInt64 {
    // SAFETY: every byte of an array of `UInt8` is initialised.
    let bytes = unsafe message.span.bytes
    var sum: UInt64 = 0
    // The number of records, and of each its fields: lengths below 253 take a byte.
    var next = 5
    for _ in 0..<count {
        // SAFETY: any bits are a number; whether they are in bounds is checked.
        sum &+= unsafe bytes.unsafeLoadUnaligned(fromByteOffset: next, as: UInt64.self)
        sum &+= unsafe bytes.unsafeLoadUnaligned(fromByteOffset: next + 8, as: UInt64.self)
        let nameStart = next + 17
        let nameEnd = nameStart + Int(unsafe bytes.unsafeLoad(fromByteOffset: nameStart - 1, as: UInt8.self))
        sum.add(try UTF8Span(validating: Span(_bytes: bytes.extracting(nameStart..<nameEnd))))
        let valuesStart = nameEnd + 1
        let valueCount = Int(unsafe bytes.unsafeLoad(fromByteOffset: nameEnd, as: UInt8.self))
        let values = bytes.extracting(valuesStart..<valuesStart + 4 * valueCount)
        for index in 0..<valueCount {
            // SAFETY: as above.
            sum.add(unsafe values.unsafeLoadUnaligned(fromByteOffset: 4 * index, as: Int32.self))
        }
        next = valuesStart + 4 * valueCount
    }
    return sum
}
