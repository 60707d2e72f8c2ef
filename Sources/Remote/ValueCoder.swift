package import Wire

/// Writes and reads lists of values of one type, tuples included.
///
/// What the type is like is found out once, when the coder is made. Plain values are then addressed as the bytes they
/// are: code that knows a type at run time only spends a hundred nanoseconds on each array that it makes of it.
@safe
package struct ValueCoder<Value>: Sendable {
    private enum Route: Sendable {
        case plain(any (WireEncodable & WireDecodable & SendableMetatype).Type)
        case coded(any (WireEncodable & WireDecodable & SendableMetatype).Type)
        case other(TravellingType)
    }

    private let route: Route

    package init() {
        let type = TravellingType.of(Value.self)
        guard case .coded(let coded, let isPlain) = type else {
            route = .other(type)
            return
        }
        route =
            isPlain && MemoryLayout<Value>.size > 0 && MemoryLayout<Value>.alignment <= 16
            ? .plain(coded) : .coded(coded)
    }

    /// Whether values are their bytes, without gaps between them.
    package var isPlain: Bool {
        if case .plain = route { true } else { false }
    }

    // MARK: - Writing

    /// Writes the number of values, then each.
    package func write(_ values: ArraySlice<Value>, to output: inout WireWriter) {
        unsafe values.withUnsafeBufferPointer { unsafe write($0, to: &output) }
    }

    /// Writes the number of values, then each.
    @unsafe
    package func write(_ values: UnsafeBufferPointer<Value>, to output: inout WireWriter) {
        switch route {
        case .plain:
            let (size, byteCount) = (MemoryLayout<Value>.size, values.count * MemoryLayout<Value>.size)
            let target = unsafe output.appendPlainArray(
                count: values.count, size: size, alignment: MemoryLayout<Value>.alignment)
            // SAFETY: plain values are initialised bytes without gaps, and there is room for all of them.
            if let first = values.baseAddress { unsafe target.copyMemory(from: first, byteCount: byteCount) }
        case .coded(let type):
            // One call for the list, so that the choice of how it travels is made once.
            func write<T: WireEncodable & WireDecodable>(_: T.Type) {
                // SAFETY: `T` is `Value`, by another name: `type` was made from `Value.self`.
                let values = unsafe UnsafeRawBufferPointer(values).assumingMemoryBound(to: T.self)
                unsafe T.writeArray(Span(_unsafeElements: values), to: &output)
            }
            write(type)
        case .other(let type):
            output.write(UInt64(values.count))
            for index in values.indices {
                // SAFETY: inside the buffer, and `type` describes `Value`.
                unsafe type.write(at: UnsafeRawPointer(values.baseAddress! + index), to: &output)
            }
        }
    }

    /// Writes at most `count` values as they are made, as ``write(_:to:)`` would.
    ///
    /// - Parameter make: Is given room for `count` values; initialises the first of them and returns how many.
    package func write(
        atMost count: Int, to output: inout WireWriter, _ make: (UnsafeMutablePointer<Value>) -> Int
    ) {
        guard isPlain, count > 0, count * MemoryLayout<Value>.size >= WireFormat.alignedBlock else {
            return unsafe withRoom(for: count) { room in
                let made = unsafe make(room)
                unsafe write(UnsafeBufferPointer(start: room, count: made), to: &output)
                unsafe room.deinitialize(count: made)
            }
        }
        let start = output.byteCount
        // SAFETY: room for `count` values, aligned for them since there are 64 bytes or more; plain values need no
        // deinitialisation.
        let room = unsafe output.appendPlainArray(
            count: count, size: MemoryLayout<Value>.size, alignment: MemoryLayout<Value>.alignment
        ).assumingMemoryBound(to: Value.self)
        let made = unsafe make(room)
        guard made < count else { return }
        let values = unsafe Array(UnsafeBufferPointer(start: room, count: made))
        output.removeBytes(after: start)
        write(values[...], to: &output)
    }

    // MARK: - Reading

    /// Reads what ``write(_:to:)`` wrote.
    package func read(from input: inout WireReader) throws(WireError) -> [Value] {
        switch route {
        case .plain(let type), .coded(let type):
            func read<T: WireEncodable & WireDecodable>(_: T.Type) throws(WireError) -> [Value] {
                let values: [T] = try input.read()
                // SAFETY: as in `write`.
                return unsafe unsafeBitCast(values, to: [Value].self)
            }
            return try read(type)
        case .other(let type):
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
        }
    }

    /// Reads a list of one value.
    package func readOne(from input: inout WireReader) throws(WireError) -> Value {
        if isPlain, MemoryLayout<Value>.size < WireFormat.alignedBlock {
            let bytes = try input.readPlainArray(
                size: MemoryLayout<Value>.size, alignment: MemoryLayout<Value>.alignment)
            guard bytes.byteCount == MemoryLayout<Value>.size else { throw input.invalid("not one value") }
            var value: Value?
            unsafe withRoom(for: 1) { room in
                // SAFETY: room for a value, and as many bytes as it has; any bits are one.
                unsafe bytes.withUnsafeBytes { bytes in
                    unsafe UnsafeMutableRawPointer(room).copyMemory(from: bytes.baseAddress!, byteCount: bytes.count)
                }
                value = unsafe room.pointee
            }
            if let value { return value }
        }
        let values = try read(from: &input)
        guard values.count == 1, let value = values.first else {
            throw input.invalid("\(values.count) values, not one")
        }
        return value
    }

    /// Reads what ``write(_:to:)`` wrote, and lends the values to `body`: plain ones where they lie.
    package func read(
        from input: inout WireReader, _ body: (UnsafeBufferPointer<Value>) -> Void
    ) throws(WireError) {
        guard isPlain else {
            let values = try read(from: &input)
            unsafe values.withUnsafeBufferPointer { unsafe body($0) }
            return
        }
        let bytes = try input.readPlainArray(
            size: MemoryLayout<Value>.size, alignment: MemoryLayout<Value>.alignment)
        let count = bytes.byteCount / MemoryLayout<Value>.size
        unsafe bytes.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress, count > 0 else {
                return unsafe body(UnsafeBufferPointer(start: nil, count: 0))
            }
            if UInt(bitPattern: start) % UInt(MemoryLayout<Value>.alignment) == 0 {
                // SAFETY: `count` plain values, any bits of which are valid, aligned for them.
                let values = unsafe start.assumingMemoryBound(to: Value.self)
                return unsafe body(UnsafeBufferPointer(start: values, count: count))
            }
            unsafe withRoom(for: count) { room in
                // SAFETY: room for `count` values; any bits are valid, and nothing has to be deinitialised.
                unsafe UnsafeMutableRawPointer(room).copyMemory(from: start, byteCount: bytes.count)
                unsafe body(UnsafeBufferPointer(start: room, count: count))
            }
        }
    }

    /// Room for `count` values that is not initialised, on the stack if it is small.
    private func withRoom(for count: Int, _ body: (UnsafeMutablePointer<Value>) -> Void) {
        let byteCount = max(count, 1) * MemoryLayout<Value>.stride
        if byteCount <= 64, MemoryLayout<Value>.alignment <= 8 {
            // Of a type that is known here: others are looked up each time.
            var words: (Int, Int, Int, Int, Int, Int, Int, Int) = (0, 0, 0, 0, 0, 0, 0, 0)
            unsafe withUnsafeMutablePointer(to: &words) { words in
                // SAFETY: 64 bytes, as aligned as integers are.
                unsafe body(UnsafeMutableRawPointer(words).assumingMemoryBound(to: Value.self))
            }
            return
        }
        unsafe withUnsafeTemporaryAllocation(
            byteCount: byteCount, alignment: max(MemoryLayout<Value>.alignment, 16)
        ) { room in
            // SAFETY: as large and as aligned as `count` values are.
            unsafe body(room.baseAddress!.assumingMemoryBound(to: Value.self))
        }
    }
}
