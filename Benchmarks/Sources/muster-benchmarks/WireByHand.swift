/// What Swift's own String and Array allow at best: the records of a message that Muster wrote, read without checks by
/// code that knows nothing but them.
@inline(never)
func decodeByHand(_ message: [UInt8], count: Int) -> [Record] {
    // SAFETY: for messages of `WireData.records()` only, which are as long as what is read here says.
    unsafe message.withUnsafeBytes { bytes in
        var next = 5
        return [Record](unsafeUninitializedCapacity: count) { records, filled in
            while filled < count {
                let id = unsafe bytes.loadUnaligned(fromByteOffset: next, as: Int64.self)
                let score = unsafe bytes.loadUnaligned(fromByteOffset: next + 8, as: Double.self)
                let nameCount = Int(unsafe bytes[next + 16])
                next += 17
                let name = unsafe String(
                    decoding: UnsafeRawBufferPointer(rebasing: bytes[next..<next + nameCount]), as: UTF8.self)
                next += nameCount
                let valueCount = Int(unsafe bytes[next])
                next += 1
                let values = unsafe [Int32](unsafeUninitializedCapacity: valueCount) { values, filled in
                    unsafe UnsafeMutableRawBufferPointer(values).copyMemory(
                        from: UnsafeRawBufferPointer(rebasing: bytes[next..<next + 4 * valueCount]))
                    filled = valueCount
                }
                next += 4 * valueCount
                unsafe records.initializeElement(
                    at: filled, to: Record(id: id, score: score, name: name, values: values))
                filled += 1
            }
        }
    }
}
