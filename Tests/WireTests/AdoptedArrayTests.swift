import Glibc
import Synchronization
import Testing
import Wire

/// Owns a block, which it copies for every array to where there is room for a head.
private final class Owner: ArrayRoom {
    private let block: SharedArray<UInt8>
    private let onFree: () -> Void
    private(set) weak var last: Room?

    init(_ block: SharedArray<UInt8>, onFree: @escaping () -> Void) {
        self.block = block
        self.onFree = onFree
    }

    func makeRoom(before bytes: UnsafeRawBufferPointer) -> (bytes: UnsafeRawBufferPointer, owner: AnyObject)? {
        let room = unsafe Room(copying: bytes, onFree: onFree)
        last = room
        return unsafe (room.elements, room)
    }
}

/// Memory that has room for a head before its elements, and says when it is freed.
@safe
private final class Room {
    private let memory: UnsafeMutableRawBufferPointer
    private let onFree: () -> Void

    init(copying bytes: UnsafeRawBufferPointer, onFree: @escaping () -> Void) {
        unsafe memory = .allocate(byteCount: 64 + bytes.count, alignment: 64)
        unsafe UnsafeMutableRawBufferPointer(rebasing: memory[64...]).copyMemory(from: bytes)
        self.onFree = onFree
    }

    deinit {
        unsafe memory.deallocate()
        onFree()
    }

    var elements: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(rebasing: memory[64...]) }

    func elements<Element: Plain>(as type: Element.Type) -> [Element] {
        unsafe Array(elements.bindMemory(to: Element.self))
    }
}

/// A message of one array whose block's owner makes room.
private struct Adoptable<Element: Plain> {
    let message: WireMessage
    let owner: Owner

    init(_ elements: [Element], onFree: @escaping () -> Void = {}) throws {
        let message = try elements.wireMessage(blocksFrom: 1)
        let block = try #require(message.blocks.first)
        let owner = Owner(block, onFree: onFree)
        self.owner = owner
        let shared = unsafe block.withContiguousStorageIfAvailable { unsafe SharedArray($0, owner: owner) }
        self.message = try WireMessage(bytes: message.bytes, blocks: [#require(shared)])
    }
}

private struct Corner: Plain, Equatable {
    var position: SIMD4<Float>, charge: Float, mass: Float, id: Int64
}

private final class Holder<Value> {
    let value: Value
    init(_ value: Value) { self.value = value }
}

/// What a body might keep for good.
private let kept = Mutex<[Double]>([])

@Suite("Arrays in place")
struct AdoptedArrayTests {
    private func check<Element: Plain & Equatable>(_ elements: [Element]) throws {
        #expect(AdoptedArray.isPossible(for: Element.self))
        let arrays = AdoptedArrays(minimumByteCount: 1)
        let adoptable = try Adoptable(elements)
        let array = try [Element](wireMessage: adoptable.message, adopting: arrays)
        let room = try unsafe #require(adoptable.owner.last).elements.baseAddress
        let address = unsafe array.withUnsafeBytes { $0.baseAddress }
        #expect(unsafe address == room && arrays.count == 1)
        withExtendedLifetime(array) { #expect(arrays.isInUse) }
        #expect(array == elements && array.capacity == elements.count)
    }

    @Test("an array of elements of any plain type is where its message has it")
    func types() throws {
        try check((0..<100).map { Double($0) })
        try check((0..<100).map { Float($0) })
        try check((0..<100).map { UInt8($0) })
        try check((0..<100).map { Int16($0) })
        try check((0..<100).map { SIMD4<Float>(repeating: Float($0)) })
        try check((0..<100).map { SIMD2<Double>(repeating: Double($0)) })
        try check((0..<100).map { Corner(position: .one, charge: 1, mass: 2, id: $0) })
        #expect(!AdoptedArray.isPossible(for: Gap.self))
    }

    @Test("small blocks and blocks of other owners are copied, and so are all for a reader that keeps none")
    func copies() throws {
        let elements = (0..<1000).map { Double($0) }
        let adoptable = try Adoptable(elements)
        let (large, small) = (AdoptedArrays(minimumByteCount: 8001), AdoptedArrays(minimumByteCount: 1))
        #expect(try [Double](wireMessage: adoptable.message, adopting: large) == elements)
        #expect(try [Double](wireMessage: elements.wireMessage(blocksFrom: 1), adopting: small) == elements)
        #expect(try [Double](wireMessage: adoptable.message) == elements)
        #expect(large.count + small.count == 0)
    }

    @Test("an array is read again into other memory")
    func again() throws {
        let elements = (0..<1000).map { Double($0) }
        let adoptable = try Adoptable(elements)
        let arrays = AdoptedArrays(minimumByteCount: 1)
        let first = try [Double](wireMessage: adoptable.message, adopting: arrays)
        let second = try [Double](wireMessage: adoptable.message, adopting: arrays)
        #expect(first == elements && second == elements && arrays.count == 2)
    }

    @Test("whoever changes an array gets one of its own")
    func changes() throws {
        let elements = (0..<1000).map { Double(999 - $0) }
        let adoptable = try Adoptable(elements)
        let arrays = AdoptedArrays(minimumByteCount: 1)
        let array = try [Double](wireMessage: adoptable.message, adopting: arrays)
        func expect(_ expected: [Double], _ name: String, _ change: (inout [Double]) -> Void) {
            var changed = array
            change(&changed)
            #expect(changed == expected && array == elements, "\(name)")
        }
        expect(elements + [1], "append") { $0.append(1) }
        expect(elements + elements, "append all") { $0 += elements }
        expect(elements.sorted(), "sort") { $0.sort() }
        expect([], "remove all") { $0.removeAll() }
        expect([], "remove all, keeping capacity") { $0.removeAll(keepingCapacity: true) }
        expect([7] + elements[1...], "set") { $0[0] = 7 }
        expect(elements, "reserve") { $0.reserveCapacity(100_000) }
        expect(elements, "reserve less") { $0.reserveCapacity(10) }
        expect(elements.reversed(), "reverse") { $0.reverse() }
        expect(Array(elements[1...]), "remove first") { $0.removeFirst() }
        expect(elements.dropLast(), "remove last") { _ = $0.removeLast() }
        expect(elements.filter { $0 < 500 }, "remove some") { $0.removeAll { $0 >= 500 } }
        expect(elements.map { $0 + 1 }, "buffer") { array in
            unsafe array.withUnsafeMutableBufferPointer { buffer in
                for index in buffer.indices { unsafe buffer[index] += 1 }
            }
        }
        expect([5] + elements[1...], "span") { array in
            var span = array.mutableSpan
            span[0] = 5
        }
        expect([elements[1], elements[0]] + elements[2...], "swap") { $0.swapAt(0, 1) }
        expect(Array(elements[..<10] + elements[20...]), "replace") { $0.replaceSubrange(10..<20, with: []) }
        expect([3] + elements[1...], "slice") { $0[..<10][0] = 3 }
        #expect(changed(array) == [1] + elements[1...] && array == elements)
        #expect(adoptable.owner.last?.elements(as: Double.self) == elements && arrays.count == 1)
    }

    /// Changes what it is given to keep.
    @inline(never)
    private func changed(_ array: consuming [Double]) -> [Double] {
        array[0] = 1
        return array
    }

    @Test("so does who has the only one")
    func changesOfLast() throws {
        let adoptable = try Adoptable((0..<100).map { Double($0) })
        let arrays = AdoptedArrays(minimumByteCount: 1)
        func expect(_ name: String, _ change: (consuming [Double]) -> [Double]) throws {
            let result = change(try [Double](wireMessage: adoptable.message, adopting: arrays))
            #expect(result.count == 101 && result[0] == 1 && !arrays.isInUse, "\(name)")
            #expect(adoptable.owner.last?.elements(as: Double.self) == (0..<100).map { Double($0) }, "\(name)")
        }
        try expect("variable") { given in
            var array = given
            array[0] = 1
            array.append(4)
            return array
        }
        try expect("parameter") { (array: consuming [Double]) in
            array.append(4)
            array[0] = 1
            return array
        }
        try expect("concatenation") { [1] + $0[1...] + [7] }
        try expect("insertion") { (array: consuming [Double]) in
            array.insert(1, at: 0)
            return array
        }
    }

    @Test("an array is in use by whoever has it, in whatever way")
    func holders() throws {
        let adoptable = try Adoptable((0..<100).map { Double($0) })
        let arrays = AdoptedArrays(minimumByteCount: 1)
        func expect<Value>(_ name: String, _ hold: ([Double]) -> Value, _ sum: (Value) -> Double?) throws {
            var held: Value? = hold(try [Double](wireMessage: adoptable.message, adopting: arrays))
            withExtendedLifetime(held) { #expect(arrays.isInUse, "\(name)") }
            withExtendedLifetime(held) { arrays.dropUnused() }
            #expect(arrays.count == 1 && held.flatMap(sum) == 4950, "\(name)")
            held = nil
            #expect(!arrays.isInUse, "\(name)")
            arrays.dropUnused()
            #expect(arrays.count == 0, "\(name)")
        }
        try expect("variable", { $0 }, { $0.reduce(0, +) })
        try expect("slice", { $0[1...] }, { $0.reduce(0, +) })
        try expect("contiguous array", { ContiguousArray($0) }, { $0.reduce(0, +) })
        try expect("object", { Holder($0) }, { $0.value.reduce(0, +) })
        try expect("closure", { array in { array.reduce(0, +) } }, { $0() })
        try expect("other arrays", { [$0, $0] }, { $0[1].reduce(0, +) })
        try expect("anything", { $0 as Any }, { ($0 as? [Double])?.reduce(0, +) })
        try expect("lazy map", { $0.lazy.map { $0 } }, { $0.reduce(0, +) })
        try expect("iterator", { $0.makeIterator() }, { IteratorSequence($0).reduce(0, +) })
        try expect(
            "message", { try? $0.wireMessage(blocksFrom: 1) },
            { try? $0.map { try [Double](wireMessage: $0).reduce(0, +) } })
    }

    @Test("memory stays while anybody has the array, also when the keeper is gone")
    func keepers() async throws {
        let freed = Mutex(0)
        /// Whether so many blocks are freed; another test's thread may be about to, if it has come first.
        func isFreed(_ count: Int) async throws -> Bool {
            for _ in 0..<1000 {
                AdoptedArrays.dropUnusedLeftovers()
                if freed.withLock({ $0 }) == count { return true }
                try await Task.sleep(for: .milliseconds(10))
            }
            return false
        }
        let elements = (0..<100).map { Double($0) }
        var arrays: AdoptedArrays? = AdoptedArrays(minimumByteCount: 1)
        let adoptable = try Adoptable(elements) { freed.withLock { $0 += 1 } }
        if let arrays {
            kept.withLock { $0 = (try? [Double](wireMessage: adoptable.message, adopting: arrays)) ?? [] }
        }
        arrays = nil
        AdoptedArrays.dropUnusedLeftovers()
        #expect(freed.withLock { $0 } == 0 && kept.withLock { $0 } == elements)
        kept.withLock { $0 = [] }
        #expect(try await isFreed(1))

        arrays = AdoptedArrays(minimumByteCount: 1)
        _ = try arrays.map { try [Double](wireMessage: adoptable.message, adopting: $0) }
        #expect(freed.withLock { $0 } == 1)
        arrays = nil
        #expect(try await isFreed(2), "nobody had it when its keeper went")
    }

    @Test("threads may take and give up arrays while another asks whether they do")
    func threads() async throws {
        let elements = (0..<1000).map { Double($0) }
        let adoptable = try Adoptable(elements)
        let arrays = AdoptedArrays(minimumByteCount: 1)
        do {
            let array = try [Double](wireMessage: adoptable.message, adopting: arrays)
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for task in 0..<8 {
                    group.addTask {
                        var own: [[Double]] = []
                        for step in 0..<20_000 {
                            own.append(array)
                            if step % 7 == task % 7 { own.removeAll() }
                            if step % 1000 == 0 {
                                var copy = array
                                copy[step % 1000] = -1
                                guard array[step % 1000] != -1 else { return false }
                            }
                        }
                        return array == elements
                    }
                }
                group.addTask {
                    withExtendedLifetime(array) {
                        for _ in 0..<20_000 { guard arrays.isInUse else { return false } }
                        arrays.dropUnused()
                        return arrays.count == 1
                    }
                }
                for try await isRight in group { #expect(isRight) }
            }
        }
        #expect(!arrays.isInUse)
    }
}
