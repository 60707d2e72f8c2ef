import Testing
import Wire

/// Frees a block, and says so.
@safe
private final class Owner {
    let block: UnsafeMutableBufferPointer<Int32>
    let freed: () -> Void

    init(count: Int, freed: @escaping () -> Void) {
        unsafe block = .allocate(capacity: count)
        for index in 0..<count { unsafe block.initializeElement(at: index, to: Int32(index)) }
        self.freed = freed
    }

    deinit {
        unsafe block.deallocate()
        freed()
    }
}

@Suite("SharedArray")
struct SharedArrayTests {
    @Test("a block is not copied, and stays until the last array over it is gone")
    func ownership() {
        var isFreed = false
        var slice: SharedArray<Int32>?
        do {
            let owner = Owner(count: 10) { isFreed = true }
            let array = unsafe SharedArray(UnsafeBufferPointer(owner.block), owner: owner)
            #expect(Array(array) == Array(0..<10) && array.first == 0 && array.last == 9)
            slice = array.extracting(2..<5)
            let address = unsafe slice?.withContiguousStorageIfAvailable { Int(bitPattern: $0.baseAddress) }
            #expect(unsafe address == Int(bitPattern: owner.block.baseAddress) + 8)
        }
        #expect(!isFreed && slice.map(Array.init) == [2, 3, 4])
        slice = nil
        #expect(isFreed)
    }

    @Test("slices start at 0, share, and can be empty")
    func slices() {
        let array = SharedArray([1, 2, 3, 4, 5])
        #expect(array.extracting(1...3).extracting(1...) == SharedArray([3, 4]))
        #expect(array.extracting(5...).isEmpty && array.extracting(..<0).isEmpty)
        #expect(array[1..<3].elementsEqual([2, 3]) && array.reversed() == [5, 4, 3, 2, 1])
        #expect(Set([array, SharedArray([1, 2, 3, 4, 5])]).count == 1 && "\(array)" == "[1, 2, 3, 4, 5]")
        let span = array.span
        let last = span[4]
        #expect(last == 5)
    }

    @Test("an array without elements has no block")
    func empty() throws {
        let array = unsafe SharedArray<Double>(UnsafeBufferPointer(start: nil, count: 0), owner: nil)
        let count = array.span.count
        #expect(count == 0 && array.isEmpty && array.extracting(0...) == SharedArray([]))
        #expect(try array.wireBytes() == [0])
    }

    @Test("a new block is filled in place, and aligned", arguments: [0, 1, 1000])
    func filled(count: Int) {
        let array = SharedArray<SIMD4<Double>>(count: count) { span in
            for index in span.indices { span[index].x = Double(index) }
        }
        #expect(array.count == count && array.indices.allSatisfy { array[$0] == [Double($0), 0, 0, 0] })
        let address = unsafe array.withContiguousStorageIfAvailable { Int(bitPattern: $0.baseAddress) }
        #expect(address.map { $0 % 64 } == 0)
    }

    @Test("it travels as an array does", arguments: [0, 1, 7, 8, 1000])
    func wire(count: Int) throws {
        let numbers = (0..<count).map(Double.init)
        let bytes = try SharedArray(numbers).wireBytes()
        #expect(try bytes == numbers.wireBytes())
        #expect(try SharedArray<Double>(wireBytes: bytes) == SharedArray(numbers))
        #expect(try [Double](storedBytes: SharedArray(numbers).storedBytes()) == numbers)
        let gaps = [Gap](repeating: Gap(wide: 1, narrow: 2), count: count)
        #expect(try SharedArray<Gap>(wireBytes: SharedArray(gaps).wireBytes()).elementsEqual(gaps))
    }

    @Test("a length beyond the message is refused", arguments: HostileBytesTests.hugeLengths)
    func hostile(length: [UInt8]) {
        #expect(failure(of: SharedArray<Double>.self, length + [1, 2, 3]) != nil)
        #expect(failure(of: SharedArray<Gap>.self, length + [1, 2, 3]) != nil)
    }

    @Test("a position outside traps")
    func bounds() async {
        await #expect(processExitsWith: .failure) { _ = SharedArray([1, 2, 3])[3] }
        await #expect(processExitsWith: .failure) { _ = SharedArray([1, 2, 3]).extracting(2..<4) }
    }
}
