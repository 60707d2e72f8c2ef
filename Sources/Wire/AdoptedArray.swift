import Synchronization

/// A Swift `Array` over elements that lie in memory already, and are not copied.
///
/// An array is a pointer to an object, which begins with a head of four words, and the elements follow it:
///
/// | at byte | |
/// | --- | --- |
/// | 0 | the object's class, `_ContiguousArrayStorage<Element>` |
/// | 8 | its counts of references |
/// | 16 | number of elements |
/// | 24 | capacity times two; the lowest bit is set for arrays of Objective-C's only |
/// | 32 | elements |
///
/// So where the 32 bytes before some elements can be written to, a head there makes an array of them. One reference
/// stays here for ever. Hence the object is never freed, which it could not be; nobody else's reference is ever the only
/// one, so whoever changes such an array copies it first; and when it is the only one, nobody has the array any more.
///
/// The compiler and the library that the program was built with might do it another way. So each type's layout is looked
/// up in arrays of this process, and tried, before it is relied on.
///
/// Source: the Swift repository's `stdlib/public/core/ContiguousArrayBuffer.swift` (`_ContiguousArrayStorage`),
/// `ArrayBody.swift` (`_SwiftArrayBodyStorage`: count, capacity and flags), and of `stdlib/public/SwiftShims/swift/shims`
/// `HeapObject.h` (class, counts) and `RefCount.h`.
///
/// `@unchecked`: the address never changes, the counts are changed atomically by Swift's runtime only, and the owner may be
/// released on any thread.
@safe
package struct AdoptedArray: @unchecked Sendable {
    /// Bytes before the first element that have to be writable, and belong to this process alone.
    package static let headByteCount = 32

    /// Where the head is.
    private let object: UnsafeMutableRawPointer
    /// Keeps head and elements.
    private let owner: AnyObject?

    fileprivate init(object: UnsafeMutableRawPointer, owner: AnyObject?) {
        unsafe self.object = object
        self.owner = owner
    }

    /// Makes an array of elements, by writing its head before them.
    ///
    /// The memory must stay as long as ``isInUse``, which `self` sees to while it lives: it keeps the owner.
    ///
    /// - Parameters:
    ///   - elements: Initialised elements without gaps, aligned to 16 bytes, that nobody changes; at least one. The
    ///     ``headByteCount`` bytes before them can be written to and are nobody else's, in this process or another.
    ///   - owner: What frees the memory when it is deinitialised, on any thread.
    /// - Returns: nil if arrays of this type are not what they are expected to be; nothing is written then.
    /// - Complexity: O(1).
    @unsafe
    package static func adopt<Element: Plain>(
        _ elements: UnsafeBufferPointer<Element>, owner: AnyObject
    ) -> (kept: AdoptedArray, array: [Element])? {
        guard let start = elements.baseAddress, let head = ArrayHead(of: Element.self) else { return nil }
        precondition(Int(bitPattern: start) & 15 == 0, "the elements of an array are aligned")
        let object = unsafe UnsafeMutableRawPointer(mutating: start) - headByteCount
        // SAFETY: the caller vouches for the room, the elements and their lifetime; the head is as this process's own.
        let array = unsafe head.makeArray(of: Element.self, at: object, count: elements.count)
        return (unsafe AdoptedArray(object: object, owner: owner), array)
    }

    /// Whether a ``adopt(_:owner:)`` of elements of this type makes an array.
    ///
    /// - Complexity: O(1), half a microsecond.
    package static func isPossible<Element: Plain>(for type: Element.Type) -> Bool {
        ArrayHead(of: Element.self) != nil
    }

    /// Whether anyone has the array, or a slice of it. Once nobody has it, nobody can get it again.
    package var isInUse: Bool {
        var reference = unsafe object
        // SAFETY: a reference and a pointer to the object are the same word, and this one counts.
        let isOnly = unsafe withUnsafeMutableBytes(of: &reference) { unsafe isOnlyReference($0) }
        // What other threads have read before they let go of the array is read before the memory is given back.
        if isOnly { atomicMemoryFence(ordering: .acquiring) }
        return !isOnly
    }
}

/// The words at the start of an array's object that are the same for all new arrays of one type.
private struct ArrayHead: Equatable {
    /// The class.
    let type: UInt
    /// The counts of an object that has one reference.
    let references: UInt

    /// What arrays of this process have; nil if they are not as they are expected to be.
    init?<Element: Plain>(of type: Element.Type) {
        let word = MemoryLayout<UInt>.size
        guard word == 8, MemoryLayout<[Element]>.size == word, MemoryLayout<Element>.size > 0,
            MemoryLayout<Element>.size == MemoryLayout<Element>.stride, MemoryLayout<Element>.alignment <= 16
        else { return nil }
        var found: ArrayHead?
        for (count, capacity) in [(1, 1), (2, 9), (33, 64)] {
            var sample = ArrayHead.sample(of: Element.self, count: count, capacity: capacity)
            guard let head = ArrayHead(reading: &sample), found == nil || found == head else { return nil }
            found = head
        }
        guard let found, found.makesArrays(of: Element.self) else { return nil }
        self = found
    }

    /// Reads the head of a new array; nil if it is not as expected.
    private init?<Element: Plain>(reading sample: inout [Element]) {
        let (count, capacity) = (sample.count, sample.capacity)
        let elements = unsafe sample.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
        // SAFETY: an array is one word, by the guard in `init(of:)`. If that is the address of the elements less 32, it is
        // that of their object, which begins with a head as all objects do.
        let head: ArrayHead? = unsafe withUnsafeMutableBytes(of: &sample) { variable in
            let address = unsafe variable.load(as: UInt.self)
            guard elements == address &+ UInt(AdoptedArray.headByteCount),
                let object = unsafe UnsafeRawPointer(bitPattern: address),
                unsafe isOnlyReference(variable),
                unsafe object.load(fromByteOffset: 16, as: Int.self) == count,
                unsafe object.load(fromByteOffset: 24, as: Int.self) == capacity << 1
            else { return nil }
            return unsafe ArrayHead(
                type: object.load(as: UInt.self), references: object.load(fromByteOffset: 8, as: UInt.self))
        }
        guard let head else { return nil }
        self = head
    }

    private init(type: UInt, references: UInt) {
        self.type = type
        self.references = references
    }

    /// An array in memory of its own, as every array is whose end the compiler does not see.
    @inline(never)
    private static func sample<Element: Plain>(of type: Element.Type, count: Int, capacity: Int) -> [Element] {
        unsafe [Element](unsafeUninitializedCapacity: capacity) { elements, filled in
            // SAFETY: room for `capacity` elements; any bits are plain elements.
            unsafe UnsafeMutableRawBufferPointer(elements).initializeMemory(as: UInt8.self, repeating: 0)
            filled = count
        }
    }

    /// Writes the head of an array that has one reference, for the caller to keep, and makes an array of it, with another.
    ///
    /// `object` has to be aligned to 16 bytes, and `count` elements have to follow the head's 32.
    @unsafe
    @inline(never)
    func makeArray<Element: Plain>(
        of type: Element.Type, at object: UnsafeMutableRawPointer, count: Int
    ) -> [Element] {
        unsafe object.storeBytes(of: self.type, as: UInt.self)
        unsafe object.storeBytes(of: references, toByteOffset: 8, as: UInt.self)
        unsafe object.storeBytes(of: count, toByteOffset: 16, as: Int.self)
        unsafe object.storeBytes(of: count << 1, toByteOffset: 24, as: Int.self)
        // SAFETY: from here on it is an object of the class that arrays of this type have; retained by what is made.
        let reference = unsafe Unmanaged<SomeObject>.fromOpaque(object).takeUnretainedValue()
        return unsafe unsafeBitCast(reference, to: [Element].self)
    }

    /// Whether what is made with this head is an array, and it shows when that is given up.
    private func makesArrays<Element: Plain>(of type: Element.Type) -> Bool {
        let count = 3
        let memory = UnsafeMutableRawBufferPointer.allocate(
            byteCount: AdoptedArray.headByteCount + count * MemoryLayout<Element>.stride, alignment: 16)
        defer { unsafe memory.deallocate() }
        for index in memory.indices { unsafe memory[index] = UInt8(truncatingIfNeeded: index) }
        let object = unsafe memory.baseAddress.unsafelyUnwrapped
        let elements = unsafe UnsafeRawBufferPointer(rebasing: memory[AdoptedArray.headByteCount...])
        // SAFETY: the elements follow the head. The reference that stays is in `kept`.
        var array: [Element]? = unsafe makeArray(of: Element.self, at: object, count: count)
        let kept = unsafe AdoptedArray(object: object, owner: nil)
        let isRight = unsafe array?.withUnsafeBytes { bytes in
            unsafe bytes.baseAddress == elements.baseAddress && bytes.elementsEqual(elements)
        }
        guard kept.isInUse, array?.count == count, array?.capacity == count, isRight == true else { return false }
        array = nil
        let left = unsafe object.load(fromByteOffset: 8, as: UInt.self)
        return !kept.isInUse && left == references
    }
}

/// Stands for the class of an object, where only its references are counted.
///
/// `AnyObject` would not do: Swift 6 opens it, and asks of a copy whether that is the only reference.
private final class SomeObject {}

/// Whether the reference in a variable is the only one of its object.
@unsafe
private func isOnlyReference(_ variable: UnsafeMutableRawBufferPointer) -> Bool {
    // SAFETY: the caller vouches for a reference; that it is one to an object of Swift's is all that is used.
    unsafe isKnownUniquelyReferenced(&variable.assumingMemoryBound(to: SomeObject.self)[0])
}
