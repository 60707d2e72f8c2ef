import CPlatform
import Glibc
import Synchronization
package import Transport

/// One process's view of a ring: a stream of bytes from one process to another, through memory that both map.
///
/// One side writes, with a ``RingWriter``, one reads, with a ``RingReader``; each has a `Ring` of its own over the same
/// memory. Two counts tell how many bytes were ever written (`tail`) and read (`head`); byte number n lies at n mod
/// capacity. The reader copies bytes out before anyone looks at them.
///
/// Neither side trusts the other. Each keeps its own count to itself and only shows it; the other's is loaded once, and
/// an impossible one is thrown. All of what a peer gone mad can do is to send nonsense, or nothing.
///
/// What lies where, each on cache lines of its own (pairs of 64 bytes, which x86 fetches together):
///
///     0     magic and version; capacity; whether the ring has ended
///     128   tail            moved by the writer
///     256   reader sleeps   set by the reader, looked at by the writer: shared by both caches while nobody sleeps
///     384   head            moved by the reader
///     512   writer sleeps   set by the writer
///     1024  the bytes
///
/// `@unchecked`: the pointers never change and `memory` keeps them valid; the counts and marks are atomics, and the bytes
/// between `head` and `tail` belong to the reader, the others to the writer.
@safe
package final class Ring: @unchecked Sendable {
    private enum Offset {
        static let magic = 0
        static let capacity = 8
        static let ended = 16
        static let tail = 128
        static let readerSleeps = 256
        static let head = 384
        static let writerSleeps = 512
        static let bytes = 1024
    }

    /// "MUSTER", and the version of the layout.
    private static let magic: UInt64 = 0x4d55_5354_4552_0001
    /// The capacities a ring can have.
    private static let capacities = 8...1 << 40

    /// Bytes it holds, a power of two.
    package let capacity: Int
    /// Bytes ever written, as the writer shows it.
    let tail: RingCount
    /// Bytes ever read, as the reader shows it.
    let head: RingCount
    /// How the other side is woken.
    let wake: RingWake

    private let memory: SharedMemory
    private let bytes: UnsafeMutableRawPointer
    private let ended: UnsafeMutablePointer<Atomic<UInt32>>
    /// Own side's mark, which the peer can't take back.
    private let isClosed = Atomic(false)
    private let isTaken = Atomic(false)
    /// Whether the wait of the reader here is to end.
    private let isInterrupted = Atomic(false)

    /// Bytes of memory that a ring takes.
    package static func byteCount(capacity: Int) -> Int { Offset.bytes + capacity }

    /// Makes an empty ring, before the memory is handed to the other side.
    ///
    /// - Parameters:
    ///   - memory: Memory for reading and writing, allocated; kept mapped by the ring.
    ///   - offset: Where the ring starts, a multiple of 128.
    ///   - capacity: Bytes it holds, a power of two from 8 on; ``byteCount(capacity:)`` fit from `offset` on.
    ///   - wake: How to wake the other side.
    package convenience init(
        creatingIn memory: SharedMemory, at offset: Int = 0, capacity: Int, waking wake: RingWake = .futex
    ) {
        self.init(at: offset, of: memory, capacity: capacity, waking: wake)
        // SAFETY: the ring's first bytes; nobody else has the memory yet.
        let base = unsafe bytes - Offset.bytes
        unsafe base.storeBytes(of: Ring.magic, toByteOffset: Offset.magic, as: UInt64.self)
        unsafe base.storeBytes(of: UInt64(capacity), toByteOffset: Offset.capacity, as: UInt64.self)
        unsafe ended.initialize(to: Atomic(0))
        tail.reset()
        head.reset()
    }

    /// Joins a ring that the other side has made.
    ///
    /// - Parameter capacity: What both sides agreed on by another way.
    /// - Throws: ``LinkError/Code/broken`` if there is no such ring.
    package convenience init(
        joining memory: SharedMemory, at offset: Int = 0, capacity: Int, waking wake: RingWake = .futex
    ) throws(LinkError) {
        self.init(at: offset, of: memory, capacity: capacity, waking: wake)
        // SAFETY: the ring's first bytes, copied before they are looked at.
        let base = unsafe bytes - Offset.bytes
        var found: (magic: UInt64, capacity: UInt64) = (0, 0)
        unsafe withUnsafeMutableBytes(of: &found) { unsafe platform_copy_shared($0.baseAddress!, base, 16) }
        guard found.magic == Ring.magic, found.capacity == UInt64(capacity) else {
            let magic = String(found.magic, radix: 16)
            throw LinkError(
                code: .broken,
                "shared memory holds no ring of \(capacity) bytes, but mark \(magic) and \(found.capacity) bytes")
        }
    }

    /// Finds the places of all parts, and looks at none of them.
    private init(at offset: Int, of memory: SharedMemory, capacity: Int, waking wake: RingWake) {
        Ring.check(memory, offset, capacity)
        self.capacity = capacity
        self.memory = memory
        self.wake = wake
        // SAFETY: inside the mapping by `check`, which `memory` keeps; aligned, as a mapping starts with a page.
        let base = unsafe memory.bytes.baseAddress! + offset
        unsafe bytes = base + Offset.bytes
        unsafe ended = (base + Offset.ended).bindMemory(to: Atomic<UInt32>.self, capacity: 1)
        unsafe tail = RingCount(value: base + Offset.tail, isAwaited: base + Offset.readerSleeps)
        unsafe head = RingCount(value: base + Offset.head, isAwaited: base + Offset.writerSleeps)
    }

    private static func check(_ memory: SharedMemory, _ offset: Int, _ capacity: Int) {
        precondition(capacities.contains(capacity) && capacity & (capacity - 1) == 0, "a capacity is a power of two")
        precondition(offset >= 0 && offset % 128 == 0, "a ring starts with a pair of cache lines")
        precondition(byteCount(capacity: capacity) <= memory.byteCount - offset, "a ring lies within its memory")
        precondition(memory.access == .readingAndWriting, "both sides of a ring write to it")
    }

    /// A view belongs to one writer or reader: two would overwrite each other's bytes.
    func take() {
        precondition(!isTaken.exchange(true, ordering: .relaxed), "a view of a ring has one end, taken once")
    }

    // MARK: - The end

    /// Ends the ring for both sides, whichever end this side has, and whoever waits is woken. May be called from any
    /// thread, also when the other side has died: that is how the thread that waits for it is told.
    ///
    /// The other side still reads what was written before.
    package func close() {
        // Before the sleep marks are looked at, in the one order that all these have, so that ``RingCount`` can say of
        // these marks what it says of `value`.
        isClosed.store(true, ordering: .sequentiallyConsistent)
        // SAFETY: inside the mapping that `memory` keeps.
        unsafe ended.pointee.store(1, ordering: .sequentiallyConsistent)
        // One of the two is what this side waits for, the other what the peer does.
        tail.wakeSleepers()
        head.wakeSleepers()
        if case .event(let descriptor) = wake { eventfd_write(descriptor, 1) }
    }

    /// Whether this side has closed the ring.
    var isClosedHere: Bool { isClosed.load(ordering: .sequentiallyConsistent) }

    /// Whether either side has ended the ring.
    package var hasEnded: Bool {
        // SAFETY: inside the mapping that `memory` keeps.
        unsafe ended.pointee.load(ordering: .sequentiallyConsistent) != 0 || isClosedHere
    }

    // MARK: - Interrupting

    /// Ends the wait of this side's ``RingReader``, from another thread of this process; if it does not wait now, the next
    /// wait.
    ///
    /// What the reader's thread shall find when it comes back is there before this is called. Several calls may end only
    /// one wait.
    package func interruptReader() {
        // Before the sleep mark is looked at, as in ``close()``: ``RingCount`` can say of this mark what it says of `value`.
        // The mark of the writer's sleep is not this side's to take back.
        isInterrupted.store(true, ordering: .sequentiallyConsistent)
        tail.wakeSleepers()
    }

    /// Whether a wait here is to end for another reason than news.
    var isWaitOver: Bool { hasEnded || isInterrupted.load(ordering: .sequentiallyConsistent) }

    /// A wait is over: returns whether that was asked for.
    func takeInterruption() -> Bool {
        // Between two messages that come quickly, no more than a load.
        isInterrupted.load(ordering: .relaxed) && isInterrupted.exchange(false, ordering: .sequentiallyConsistent)
    }

    // MARK: - The bytes

    /// Copies into the ring, from byte number `position` on.
    ///
    /// - Parameter source: At most `capacity` bytes, that the writer may overwrite.
    @inline(__always)
    func copyIn(_ source: UnsafeRawBufferPointer, at position: UInt64) {
        guard let from = source.baseAddress else { return }
        let offset = Int(truncatingIfNeeded: position & UInt64(capacity &- 1))
        let first = min(source.count, capacity &- offset)
        // SAFETY: `offset` is below `capacity` whatever `position` is, and the two parts end at or before `capacity`,
        // as the caller gives no more than that.
        unsafe (bytes + offset).copyMemory(from: from, byteCount: first)
        if first < source.count { unsafe bytes.copyMemory(from: from + first, byteCount: source.count &- first) }
    }

    /// Copies out of the ring, from byte number `position` on.
    ///
    /// - Parameter target: At most `capacity` bytes.
    @inline(__always)
    func copyOut(_ target: UnsafeMutableRawBufferPointer, at position: UInt64) {
        guard let to = target.baseAddress else { return }
        let offset = Int(truncatingIfNeeded: position & UInt64(capacity &- 1))
        let first = min(target.count, capacity &- offset)
        // SAFETY: as above.
        unsafe platform_copy_shared(to, bytes + offset, first)
        if first < target.count { unsafe platform_copy_shared(to + first, bytes, target.count &- first) }
    }
}
