import CPlatform
import Glibc
import Synchronization

/// How one side of a ring wakes the other.
package enum RingWake: Sendable {
    /// The other side sleeps on a futex in the ring's memory.
    case futex
    /// The other side polls this eventfd among others; it is open as long as the ring is used, and never blocks.
    case event(CInt)
}

/// A count in shared memory that one side moves forward and the other waits for, with the word by which the latter says
/// that it sleeps.
///
/// Everything that the two processes agree on goes through two of these, so all that is to be said about order is said
/// here, in terms of the C11 memory model, which is also Swift's.
///
/// **Bytes.** ``advance(to:waking:)`` stores with release (sequential consistency includes it), ``load()`` loads with
/// acquire. Whoever sees a count therefore sees all that its owner did to the ring's bytes before: the reader sees
/// bytes that were written before `tail` passed them, and the writer overwrites only bytes that were copied out before
/// `head` passed them.
///
/// **Sleep.** The one that sleeps does (1) `isAwaited = 1`, (2) load `value`; the one that moves does (3) store `value`,
/// (4) load `isAwaited`. If (2) saw the old value and (4) saw 0, the sleeper would sleep with news there: a lost
/// wake-up. Release and acquire do not forbid it: they order nothing between a store and a later load of another
/// place, and every CPU has a store buffer in which (1) and (3) may sit while (2) and (4) are done. So all four are
/// sequentially consistent: in the one order that all of these have, either (1) is before (4), and the mover wakes, or (3)
/// is before (2), and the sleeper stays up. The price is one locked instruction per `advance` on x86, nothing on ARM.
///
/// **Futex.** The kernel compares the word and falls asleep in one step with respect to a wake. The mover sets the word
/// to 0 and then wakes: whoever was asleep is woken, whoever was about to sleep finds 0. That `exchange` may be late and
/// hit the next sleep's 1: the sleeper wakes for nothing, looks, and says 1 again.
///
/// The peer can write anything to both words at any time. That makes a wait here shorter or, until its deadline, longer;
/// nothing else.
@safe
struct RingCount: @unchecked Sendable {
    // `@unchecked`: the pointers never change, and what they point to are atomics.
    // SAFETY, for every use below: `Ring` made both point to atomics inside the memory that it keeps mapped.
    private let value: UnsafeMutablePointer<Atomic<UInt64>>
    private let isAwaited: UnsafeMutablePointer<Atomic<UInt32>>

    /// - Parameters:
    ///   - value: Place of the count; 8-byte aligned, in memory that outlives `self`.
    ///   - isAwaited: Place of the word; 4-byte aligned, likewise.
    @unsafe
    init(value: UnsafeMutableRawPointer, isAwaited: UnsafeMutableRawPointer) {
        unsafe self.value = value.bindMemory(to: Atomic<UInt64>.self, capacity: 1)
        unsafe self.isAwaited = isAwaited.bindMemory(to: Atomic<UInt32>.self, capacity: 1)
    }

    /// Starts from 0; before anyone else knows of the memory.
    func reset() {
        unsafe value.initialize(to: Atomic(0))
        unsafe isAwaited.initialize(to: Atomic(0))
    }

    /// The count as the other side has it; anything at all, if that side is hostile.
    func load() -> UInt64 {
        unsafe value.pointee.load(ordering: .acquiring)
    }

    /// Moves the count, and wakes the other side if it sleeps.
    func advance(to new: UInt64, waking wake: RingWake) {
        unsafe value.pointee.store(new, ordering: .sequentiallyConsistent)  // (3)
        if unsafe isAwaited.pointee.load(ordering: .sequentiallyConsistent) != 0 { wakeUp(wake) }  // (4)
    }

    /// Wakes whoever sleeps on this count. Out of line: the path with news and nobody asleep stays short.
    @inline(never)
    func wakeUp(_ wake: RingWake) {
        // Set to 0 before the wake, as said above. If a closing side was faster, it has woken.
        guard unsafe isAwaited.pointee.exchange(0, ordering: .sequentiallyConsistent) != 0 else { return }
        switch wake {
        case .futex: unsafe platform_futex_wake(isAwaited, 1)
        case .event(let descriptor): eventfd_write(descriptor, 1)
        }
    }

    /// Wakes whoever sleeps on this count's futex, whatever the word says: the peer may have put it back.
    func wakeSleepers() {
        unsafe isAwaited.pointee.store(0, ordering: .sequentiallyConsistent)
        unsafe platform_futex_wake(isAwaited, .max)
    }

    /// Says that this side sleeps from now on, unless the count is no longer `seen`; returns whether it may sleep.
    func announceSleep(seen: UInt64) -> Bool {
        unsafe isAwaited.pointee.store(1, ordering: .sequentiallyConsistent)  // (1)
        return unsafe value.pointee.load(ordering: .sequentiallyConsistent) == seen  // (2)
    }

    /// Says that this side is awake.
    ///
    /// Relaxed: who reads the 1 that was there before wakes for nothing.
    func announceWaking() {
        unsafe isAwaited.pointee.store(0, ordering: .relaxed)
    }

    /// Sleeps until woken, after ``announceSleep(seen:)``, for at most `seconds`; may return early for no reason.
    func sleep(seconds: Double) {
        let nanoseconds = seconds < 1e9 ? Int64(max(seconds, 0) * 1e9) : -1
        _ = unsafe platform_futex_wait(isAwaited, 1, nanoseconds)
    }
}
