/// The sum that the POSIX tool `cksum` computes.
///
/// Source: POSIX.1-2017, cksum: CRC of ISO/IEC 8802-3, most significant bit first, of the bytes and then their number.
struct Checksum {
    private var remainder: UInt32 = 0
    private var byteCount = 0

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index) << 24) { value, _ in
            value & 0x8000_0000 != 0 ? value << 1 ^ 0x04c1_1db7 : value << 1
        }
    }

    mutating func add(_ bytes: ArraySlice<UInt8>) {
        byteCount += bytes.count
        remainder = unsafe Checksum.table.withUnsafeBufferPointer { table in
            unsafe bytes.withUnsafeBufferPointer { bytes in
                var value = remainder
                // SAFETY: both buffers are valid here; the index into the table is below 256.
                for index in 0..<bytes.count {
                    value = unsafe value << 8 ^ table[Int(value >> 24 ^ UInt32(bytes[index]))]
                }
                return value
            }
        }
    }

    /// The sum of what was added.
    var value: UInt32 {
        var (value, count) = (remainder, byteCount)
        while count > 0 {
            value = value << 8 ^ Checksum.table[Int(value >> 24 ^ UInt32(count & 0xff))]
            count >>= 8
        }
        return ~value
    }
}
