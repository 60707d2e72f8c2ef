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
