import Glibc
import Synchronization
import Testing
import Wire

/// Something of everything: small parts around plain arrays of all sizes.
private struct Batch: WireCodable, Equatable {
    var name: String
    var samples: [Double]
    var flags: [Bool]
    var bytes: [UInt8]
    var parts: [[Int16]]
    var last: String

    func write(to output: inout WireWriter) { output.write(name, samples, flags, bytes, parts, last) }
    init(from input: inout WireReader) throws(WireError) {
        (name, samples, flags, bytes, parts, last) = try input.read()
    }

    init(count: Int) {
        name = "batch of \(count)"
        samples = (0..<count).map { Double($0) / 3 }
        flags = (0..<count).map { $0 % 3 == 0 }
        bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 7) }
        parts = (0..<4).map { part in (0..<count / 2).map { Int16(truncatingIfNeeded: $0 * part) } }
        last = "end"
    }
}

private struct Two: WireEncodable {
    var first: [UInt8], second: [Double]
    func write(to output: inout WireWriter) { output.write(first, second) }
}

private struct Vec2<T> { var x: T, y: T }
extension Vec2: Equatable where T: Equatable {}
extension Vec2: BitwiseCopyable where T: BitwiseCopyable {}
extension Vec2: WireEncodable where T: WireEncodable {
    func write(to output: inout WireWriter) { output.write(x, y) }
}
extension Vec2: WireDecodable where T: WireDecodable {
    init(from input: inout WireReader) throws(WireError) { (x, y) = try input.read() }
}
extension Vec2: Plain where T: Plain {}

/// A block at an address that is `offset` more than a multiple of 16.
private func block(_ bytes: [UInt8], offset: Int = 0) -> SharedArray<UInt8> {
    let room = SharedArray<UInt8>(count: bytes.count + 16) { room in
        for index in bytes.indices { room[index + offset] = bytes[index] }
    }
    return room.extracting(offset..<offset + bytes.count)
}

@Suite("Messages in pieces")
struct MessageTests {
    @Test("large plain arrays are blocks, and come back", arguments: [0, 31, 32, 64, 100, 1000, 10_000])
    func roundTrip(count: Int) throws {
        let batch = Batch(count: count)
        let message = try batch.wireMessage(blocksFrom: 1000)
        let large = [count * 8, count, count, count, count, count].filter { $0 >= 1000 }
        // Bools are not plain; the others are what is large, in the order of the value.
        #expect(message.blocks.map(\.count) == (count >= 1000 ? [count * 8] + large.dropFirst(1) : large))
        #expect(try Batch(wireMessage: message) == batch)
        #expect(message.bytes.count < 6000 + count)
    }

    @Test("a block is the array's own memory, as it was")
    func notCopied() throws {
        var samples = [Double](repeating: 1, count: 10_000)
        let address = unsafe samples.withUnsafeBytes { Int(bitPattern: $0.baseAddress) }
        let message = try samples.wireMessage()
        let block = try #require(message.blocks.first)
        let blockAddress = unsafe block.withContiguousStorageIfAvailable { Int(bitPattern: $0.baseAddress) }
        #expect(blockAddress == address && message.blocks.count == 1 && message.byteCount == 80_000 + 4)
        samples[0] = 2
        #expect(try [Double](wireMessage: message)[0] == 1 && samples[0] == 2)
    }

    @Test("an array that is there twice is a block once, and copied once")
    func twice() throws {
        let samples = [Double](repeating: 1, count: 10_000)
        let shared = SharedArray(samples)
        let message = try [samples, samples].wireMessage()
        #expect(message.blocks.count == 1 && message.bytes.count > 80_000)
        #expect(try [[Double]](wireMessage: message) == [samples, samples])
        // Halves have nothing in common, a third in the middle has.
        let halves = [shared.extracting(..<5000), shared.extracting(5000...), shared.extracting(2500..<7500)]
        let pieces = try halves.reversed().wireMessage()
        #expect(pieces.blocks.count == 1 && pieces.bytes.count > 80_000)
        let inOrder = try halves.wireMessage()
        #expect(inOrder.blocks.count == 2 && inOrder.bytes.count > 40_000)
        #expect(try [SharedArray<Double>](wireMessage: inOrder) == halves)
    }

    @Test("a shared array is read from its block without a copy, and keeps it")
    func sharedFromBlock() throws {
        let samples = SharedArray((0..<10_000).map { Float($0) })
        let message = try samples.wireMessage()
        let copy = try SharedArray<Float>(wireMessage: message)
        let addresses = [samples, copy].map {
            unsafe $0.withContiguousStorageIfAvailable { Int(bitPattern: $0.baseAddress) }
        }
        #expect(addresses[0] == addresses[1] && copy == samples)
    }

    @Test("a shared array is read without a copy from a message whose bytes are shared, if it is aligned there")
    func sharing() throws {
        let samples = SharedArray((0..<100).map { Double($0) })
        let bytes = try samples.wireBytes()
        for offset in 0..<16 {
            let message = block(bytes, offset: offset)
            let copy = try SharedArray<Double>(sharing: message)
            let start = unsafe message.withContiguousStorageIfAvailable { Int(bitPattern: $0.baseAddress) } ?? 0
            let address = unsafe copy.withContiguousStorageIfAvailable { Int(bitPattern: $0.baseAddress) } ?? 0
            #expect(copy == samples)
            #expect((address == start + 8) == (offset % 8 == 0), "offset \(offset)")
        }
    }

    @Test("blocks can be viewed, and text and bytes beside them")
    func views() throws {
        let message = try Batch(count: 1000).wireMessage(blocksFrom: 1000)
        var input = WireReader(message)
        let name = try input.readUTF8()
        #expect(name.count == 13)
        let samples = try input.readSpan(of: Double.self)
        #expect(samples.count == 1000 && samples[3] == 1)
        let flags: [Bool] = try input.read()
        #expect(flags.count == 1000)
        let bytes = try input.readBytes()
        let third = unsafe bytes.unsafeLoad(fromByteOffset: 2, as: UInt8.self)
        #expect(bytes.byteCount == 1000 && third == 14)
    }

    @Test("what is gathered at the end is the same as what is written at once")
    func gathered() throws {
        for count in [0, 1, 99, 4096, 50_000] {
            let batch = Batch(count: count)
            var output = WireWriter()
            output.write(batch)
            #expect(try output.finish() == batch.wireBytes())
            #expect(try Batch(wireBytes: batch.wireBytes()) == batch)
        }
    }

    @Test("what follows a large array is aligned too", arguments: [16_384, 16_385, 20_007])
    func alignedBehind(count: Int) throws {
        let (first, second) = ([UInt8](repeating: 7, count: count), (0..<100).map(Double.init))
        let bytes = try Two(first: first, second: second).wireBytes()
        var output = WireWriter()
        output.write(first, second)
        #expect(try output.finish() == bytes)
        let message = block(bytes)
        var input = WireReader(message)
        let length = try input.readBytes().byteCount
        let span = try input.readSpan(of: Double.self)
        #expect(length == count && span.count == 100 && span[99] == 99)
    }

    @Test("a type that is plain only under a condition travels as its own conformance says")
    func conditionallyPlain() throws {
        let pairs = (0..<2000).map { Vec2(x: Double($0), y: 0) }
        #expect(try [Vec2<Double>](wireBytes: pairs.wireBytes()) == pairs)
        #expect(try [Vec2<Double>](wireMessage: pairs.wireMessage()) == pairs)
    }

    @Test("an empty shared array keeps nothing alive")
    func emptyKeepsNothing() throws {
        final class Owner {}
        weak var owner: Owner?
        var empty: SharedArray<Double>?
        do {
            let strong = Owner()
            owner = strong
            let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: 1)
            unsafe bytes.initialize(to: 0)
            let message = unsafe SharedArray(UnsafeBufferPointer(start: bytes, count: 1), owner: strong)
            empty = try SharedArray<Double>(sharing: message)
            unsafe bytes.deallocate()
        }
        #expect(empty?.isEmpty == true && owner == nil)
    }

    @Test("an array of arrays keeps each, also where a block stands at any offset")
    func many() throws {
        let rows = (0..<50).map { row in [Int32](repeating: Int32(row), count: 20 + row) }
        let message = try rows.wireMessage(blocksFrom: 64)
        #expect(message.blocks.count == 50)
        #expect(try [[Int32]](wireMessage: message) == rows)
        let names = rows.map { ["\($0.count)": $0] }
        #expect(try [[String: [Int32]]](wireMessage: try names.wireMessage(blocksFrom: 64)) == names)
    }

    @Test("the pieces are what writev takes")
    func pieces() throws {
        let batch = Batch(count: 1000)
        let message = try batch.wireMessage(blocksFrom: 1000)
        var ends: [CInt] = [0, 0]
        #expect(unsafe pipe(&ends) == 0)
        let received = try unsafe message.withPieces { pieces in
            // A pipe takes 64 KiB at once, and this is less.
            let vectors = unsafe pieces.map {
                unsafe iovec(iov_base: UnsafeMutableRawPointer(mutating: $0.baseAddress), iov_len: $0.count)
            }
            #expect(unsafe writev(ends[1], vectors, CInt(vectors.count)) == message.byteCount)
            return try unsafe pieces.map { piece in
                try #require(piece.count > 0)
                return unsafe [UInt8](unsafeUninitializedCapacity: piece.count) { buffer, count in
                    count = unsafe read(ends[0], buffer.baseAddress, piece.count)
                }
            }
        }
        close(ends[0])
        close(ends[1])
        let again = try WireMessage(bytes: received[0], blocks: received.dropFirst().map { block($0) })
        #expect(again == message)
        #expect(try Batch(wireMessage: again) == batch)
    }
}

@Suite("Hostile blocks")
struct HostileBlockTests {
    private let bytes: [UInt8]
    private let samples = (0..<16).map { Double($0) }

    init() throws {
        bytes = try samples.wireMessage(blocksFrom: 64).bytes
    }

    private func failure<T: WireDecodable>(
        of type: T.Type, _ bytes: [UInt8], _ blocks: [SharedArray<UInt8>]
    ) -> WireError? {
        do {
            _ = try T(wireMessage: WireMessage(bytes: bytes, blocks: blocks))
            return nil
        } catch {
            return error
        }
    }

    @Test("a block that is missing, too short, too long or left over is an error that says which")
    func sizes() throws {
        let whole = [UInt8](repeating: 0, count: 128)
        #expect(failure(of: [Double].self, bytes, [block(whole)]) == nil)
        #expect(failure(of: [Double].self, bytes, [])?.code == .invalidBlock)
        for count in [0, 1, 127, 129, 1000] {
            let error = failure(of: [Double].self, bytes, [block([UInt8](repeating: 0, count: count))])
            #expect(error?.code == .invalidBlock)
            #expect(error?.detail.contains("\(count) bytes") == true && error?.detail.contains("128") == true)
        }
        #expect(failure(of: [Double].self, bytes, [block(whole), block(whole)])?.code == .trailingBytes)
        // A message that is no message in pieces has no blocks to name.
        #expect(throws: WireError.self) { try [Double](wireBytes: bytes) }
        // Small arrays have no padding byte, so none of them can name a block.
        #expect(failure(of: [UInt8].self, [1, 16], [block([0])])?.code == .trailingBytes)
    }

    @Test("a block that is not aligned is an error", arguments: 0..<16)
    func alignment(offset: Int) throws {
        let moved = block([UInt8](repeating: 0, count: 128), offset: offset)
        #expect(failure(of: [Double].self, bytes, [moved])?.code == (offset % 8 == 0 ? nil : .misaligned))
        #expect(failure(of: SharedArray<Double>.self, bytes, [moved])?.code == (offset % 8 == 0 ? nil : .misaligned))
    }

    @Test("blocks that have memory in common are an error that names both")
    func overlap() throws {
        let room = block([UInt8](repeating: 0, count: 400))
        let bytes = [2] + bytes + bytes
        let apart = [room.extracting(0..<128), room.extracting(128..<256)]
        #expect(failure(of: [[Double]].self, bytes, apart) == nil)
        #expect(failure(of: [[Double]].self, bytes, apart.reversed()) == nil)
        for start in [0, 8, 120] {
            let error = failure(of: [[Double]].self, bytes, [apart[0], room.extracting(start..<start + 128)])
            #expect(error?.code == .invalidBlock && error?.detail.contains("blocks 0 and 1") == true)
        }
        // Empty ones take nothing.
        _ = try WireMessage(bytes: [], blocks: [room, room.extracting(8..<8)])
    }

    @Test("a block that its sender writes to while it is read gives some numbers, never a trap")
    func changing() async throws {
        let words = 1 << 13
        let memory = UnsafeMutablePointer<Atomic<UInt64>>.allocate(capacity: words)
        for index in 0..<words { unsafe (memory + index).initialize(to: Atomic(0)) }
        nonisolated(unsafe) let target = unsafe memory
        let sender = Task.detached {
            var state: UInt64 = 1
            while !Task.isCancelled {
                state = state &* 6_364_136_223_846_793_005 &+ 1
                unsafe target[Int(state >> 51)].store(state, ordering: .relaxed)
            }
            unsafe target.deallocate()
        }
        // Also where something is thrown: it would keep a thread of Swift's pool from all others for ever.
        defer { sender.cancel() }
        let bytes = unsafe UnsafeRawBufferPointer(start: memory, count: words * 8)
        let block = unsafe SharedArray(bytes.assumingMemoryBound(to: UInt8.self), owner: nil)
        let message = try WireMessage(bytes: [Int64](repeating: 0, count: words).wireMessage().bytes, blocks: [block])
        let floats = try WireMessage(
            bytes: [Float](repeating: 0, count: words * 2).wireMessage().bytes, blocks: [block])
        for _ in 0..<200 {
            #expect(try [Int64](wireMessage: message).count == words)
            #expect(try [Double](wireMessage: message).count == words)
            #expect(try SharedArray<Float>(wireMessage: floats).count == words * 2)
        }
        sender.cancel()
        await sender.value
    }

    @Test("damaged bytes beside blocks give a value or an error")
    func damaged() throws {
        let message = try Batch(count: 1000).wireMessage(blocksFrom: 1000)
        var random = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            var bytes = message.bytes
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            if Bool.random(using: &random) { bytes.removeLast(Int.random(in: 0...bytes.count, using: &random)) }
            _ = try? Batch(wireMessage: WireMessage(bytes: bytes, blocks: message.blocks))
        }
    }
}
