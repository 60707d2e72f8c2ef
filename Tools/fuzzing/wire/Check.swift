/// One type that bytes are read as, and what must hold if that succeeds.
struct Check: Sendable {
    /// A message that is such a value.
    let seed: [UInt8]
    /// Reads bytes; traps if something that must hold does not.
    let run: @Sendable ([UInt8]) -> Void

    private init(seed: [UInt8], run: @escaping @Sendable ([UInt8]) -> Void) {
        (self.seed, self.run) = (seed, run)
    }

    /// A type whose values are written in one way only: the second trip gives the same bytes.
    static func sameBytes<T: WireCodable & SendableMetatype>(_ sample: T) -> Check {
        trip(sample) { first, second in first == second }
    }

    /// A type without an order of its own: the second trip gives an equal value, unless NaN is in it.
    static func equal<T: WireCodable & Equatable & SendableMetatype>(_ sample: T) -> Check {
        trip(sample) { first, second in
            guard let one = try? T(wireBytes: first), let two = try? T(wireBytes: second) else { return false }
            if one == two { return true }
            // NaN: another copy is unequal too. (A collection is always equal to itself.)
            let copy = try? T(wireBytes: first)
            return one != copy
        }
    }

    /// A value behind the header of stored bytes.
    static func stored<T: WireCodable & SendableMetatype>(_ sample: T) -> Check {
        Check(seed: (try? sample.storedBytes()) ?? []) { bytes in
            guard let value = try? T(storedBytes: bytes) else { return }
            let again = try? T(storedBytes: value.storedBytes())
            guard again != nil else { fatalError("what was stored can't be read again: \(T.self)") }
        }
    }

    /// Views: what is read in place is what an owner would get, and where one is refused so is the other.
    static let borrowed = Check(seed: Borrowed.seed) { bytes in
        let owned = try? Borrowed(owning: bytes)
        let copied = try? Borrowed(viewing: bytes)
        guard owned == copied else { fatalError("a view differs from a copy") }
    }

    /// Messages in pieces: the first byte says how many blocks there are, a byte for each how long it is (in fours), and the
    /// blocks stand at the end.
    static let pieces = Check(seed: Pieces.seed) { input in
        guard let message = Pieces.message(in: input), let value = try? Pieces(wireMessage: message) else { return }
        do {
            let again = try Pieces(wireMessage: value.wireMessage(blocksFrom: 64))
            guard try again.wireBytes() == value.wireBytes() else { fatalError("another value from other pieces") }
        } catch {
            fatalError("what was read can't be written in pieces and read again: \(error)")
        }
    }

    private static func trip<T: WireCodable & SendableMetatype>(
        _ sample: T, agree: @escaping @Sendable ([UInt8], [UInt8]) -> Bool
    ) -> Check {
        Check(seed: (try? sample.wireBytes()) ?? []) { bytes in
            let value: T
            do throws(WireError) {
                value = try T(wireBytes: bytes)
            } catch {
                guard error.offset >= 0, error.offset <= bytes.count else {
                    fatalError("an error outside the message: \(T.self): \(error)")
                }
                return
            }
            do {
                let first = try value.wireBytes()
                let second = try T(wireBytes: first).wireBytes()
                guard agree(first, second) else { fatalError("another value after a second trip: \(T.self)") }
            } catch {
                fatalError("what was read can't be written and read again: \(T.self): \(error)")
            }
        }
    }
}

/// The parts that can be read as views.
private struct Borrowed: Equatable {
    let text: String, bytes: [UInt8], numbers: [Int32], gaps: [Int32], wide: [UInt64]

    static var seed: [UInt8] {
        var output = WireWriter()
        output.write("Grüße", [1, 2, 3] as [UInt8], [4, 5] as [Int32], [Gap(wide: 6, narrow: 7)])
        output.write([UInt64](repeating: 8, count: 9))
        return (try? output.finish()) ?? []
    }

    init(owning message: [UInt8]) throws {
        var input = WireReader(message.span)
        let gaps: [Gap]
        (text, bytes, numbers, gaps, wide) = try input.read()
        self.gaps = gaps.flatMap { [$0.wide, Int32($0.narrow)] }
    }

    init(viewing message: [UInt8]) throws {
        var input = WireReader(message.span)
        text = String(copying: try input.readUTF8())
        let raw = try input.readBytes()
        // SAFETY: in bounds, and initialised as part of a span.
        bytes = (0..<raw.byteCount).map { unsafe raw.unsafeLoad(fromByteOffset: $0, as: UInt8.self) }
        numbers = try input.readView(of: Int32.self).copyElements()
        gaps = try input.readView(of: Gap.self).copyElements().flatMap { [$0.wide, Int32($0.narrow)] }
        do {
            let span = try input.readSpan(of: UInt64.self)
            wide = span.indices.map { span[$0] }
        } catch {
            guard error.code == .misaligned else { throw error }
            wide = try input.readView(of: UInt64.self).copyElements()
        }
    }
}

/// Arrays that can be blocks, and what can stand between them.
private struct Pieces: WireCodable {
    var text: String, wide: [Double], bytes: [UInt8], shared: SharedArray<Int32>, parts: [[Int16]]

    func write(to output: inout WireWriter) { output.write(text, wide, bytes, shared, parts) }
    init(from input: inout WireReader) throws(WireError) { (text, wide, bytes, shared, parts) = try input.read() }

    private init() {
        text = "Grüße"
        wide = [Double](repeating: 1.5, count: 9)
        bytes = [UInt8](repeating: 7, count: 64)
        shared = SharedArray([Int32](repeating: 5, count: 20))
        parts = [[1, 2, 3], [Int16](repeating: 4, count: 50)]
    }

    static var seed: [UInt8] {
        guard let message = try? Pieces().wireMessage(blocksFrom: 64) else { return [] }
        let sizes = message.blocks.map { UInt8($0.count / 4) }
        return [UInt8(sizes.count)] + sizes + message.bytes + message.blocks.joined()
    }

    static func message(in input: [UInt8]) -> WireMessage? {
        guard let first = input.first, input.count > Int(first % 8) else { return nil }
        let count = Int(first % 8)
        var rest = input.dropFirst(1 + count)
        var blocks: [SharedArray<UInt8>] = []
        for size in input[1..<1 + count].reversed() {
            blocks.insert(SharedArray(Array(rest.suffix(Int(size) * 4))), at: 0)
            rest = rest.dropLast(Int(size) * 4)
        }
        return try? WireMessage(bytes: Array(rest), blocks: blocks)
    }
}
