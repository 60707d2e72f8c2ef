internal import CPlatform
internal import Glibc
public import Placement

/// Binds the calling thread to `cpus`, for good or until it is bound again.
///
/// Threads and processes that it starts from now on inherit the binding, before they allocate anything. The mask is as
/// large as `cpus` needs. The kernel silently drops CPUs that the cpuset doesn't hold, so the binding is read back; if
/// it isn't the one asked for, the former binding is put back and the call fails.
///
/// - Throws: ``AffinityError`` with the kernel's reason, the CPUs and the allowed set; `EINVAL` for CPUs that are not
///   there, offline, or outside the cpuset, and for an empty set.
public func bindCurrentThread(to cpus: CPUSet) throws(AffinityError) {
    // Whoever discovers the topology later must still see the mask that the process was given.
    let allowed = inheritedAffinity
    let former = try affinity()
    try set(cpus, allowed, of: 0)
    let granted = try affinity()
    guard granted == cpus else {
        try set(former, allowed, of: 0)
        throw AffinityError(errno: EINVAL, cpus: cpus, allowed: allowed)
    }
}

/// The CPUs that a thread is bound to, as the kernel has them.
///
/// - Parameter thread: Kernel's id of the thread; the calling one unless told.
/// - Throws: ``AffinityError``, `ESRCH` if there is no such thread.
package func affinity(of thread: Int32 = 0) throws(AffinityError) -> CPUSet {
    var mask = [UInt64](repeating: 0, count: 16)
    while true {
        // SAFETY: the kernel writes at most the array's size, all of it plain bits, and keeps no pointer.
        let code = unsafe mask.withUnsafeMutableBytes {
            unsafe platform_get_affinity(thread, $0.baseAddress, $0.count)
        }
        if code == 0 { return CPUSet(words: mask) }
        // EINVAL: the kernel's masks are larger than ours.
        guard code == EINVAL, mask.count * 64 <= CPUSet.largestCPU else {
            // Not the inherited ones, which are found out by this very call.
            throw AffinityError(errno: code, cpus: [], allowed: [])
        }
        mask = [UInt64](repeating: 0, count: mask.count * 2)
    }
}

/// The CPUs that this process was given when it started, as far as that can still be known.
///
/// Read from the main thread at first use, and every binding made here comes after that. Empty if it can't be read.
package let inheritedAffinity: CPUSet = (try? affinity(of: getpid())) ?? []

/// Binds a thread of this process to `cpus`; the kernel leaves those out that are not in the cpuset.
///
/// - Throws: ``AffinityError``, `ESRCH` if the thread has ended.
package func bind(thread: Int32, to cpus: CPUSet) throws(AffinityError) {
    try set(cpus, inheritedAffinity, of: thread)
}

private func set(_ cpus: CPUSet, _ allowed: CPUSet, of thread: Int32) throws(AffinityError) {
    let mask = cpus.words
    // SAFETY: the kernel reads the array's bytes during the call and keeps no pointer; an empty array's pointer may be
    // nil, with size 0, which the kernel refuses as an empty mask.
    let code = unsafe mask.withUnsafeBytes { unsafe platform_set_affinity(thread, $0.baseAddress, $0.count) }
    guard code == 0 else { throw AffinityError(errno: code, cpus: cpus, allowed: allowed) }
}
