package import Wire

/// Writes and reads lists of values of one type, tuples included.
package struct ValueCoder<Value> {
    private let type = TravellingType.of(Value.self)

    package init() {}

    /// Writes the number of values, then each.
    package func write(_ values: ArraySlice<Value>, to output: inout WireWriter) {
        switch type {
        case .coded(let type):
            // One call for the list, so that plain elements go as one block.
            func write<T: WireEncodable & WireDecodable>(_: T.Type) {
                // SAFETY: `T` is `Value`, by another name: `type` was made from `Value.self`.
                unsafe output.write(unsafeBitCast(values, to: ArraySlice<T>.self))
            }
            write(type)
        case .tuple:
            output.write(UInt64(values.count))
            for value in values {
                // SAFETY: the pointer is valid during the call, and `type` describes `Value`.
                unsafe withUnsafePointer(to: value) { unsafe type.write(at: UnsafeRawPointer($0), to: &output) }
            }
        case .refused(let name):
            preconditionFailure("\(name) was refused before anything was written")
        }
    }

    /// Reads what ``write(_:to:)`` wrote.
    package func read(from input: inout WireReader) throws(WireError) -> [Value] {
        switch type {
        case .coded(let type):
            func read<T: WireEncodable & WireDecodable>(_: T.Type) throws(WireError) -> [Value] {
                let values: [T] = try input.read()
                // SAFETY: as in `write`.
                return unsafe unsafeBitCast(values, to: [Value].self)
            }
            return try read(type)
        case .tuple:
            let count: UInt64 = try input.read()
            // A tuple of nothing takes no bytes: then only the limit of a batch bounds the count.
            let isEmpty = MemoryLayout<Value>.size == 0
            guard count <= UInt64(isEmpty ? 1 << 32 : input.remainingByteCount) else {
                throw input.invalid("\(count) tuples in \(input.remainingByteCount) bytes")
            }
            var failure: WireError?
            let values = unsafe [Value](unsafeUninitializedCapacity: Int(count)) { buffer, initialized in
                while initialized < Int(count) {
                    do throws(WireError) {
                        let slot = unsafe UnsafeMutableRawPointer(buffer.baseAddress! + initialized)
                        try unsafe type.read(into: slot, from: &input)
                        initialized += 1
                    } catch {
                        failure = error
                        return
                    }
                }
            }
            if let failure { throw failure }
            return values
        case .refused(let name):
            throw input.invalid("\(name) can't travel")
        }
    }
}
