internal import Glibc
public import Placement

/// Reading or setting the CPUs that a thread is bound to failed.
public struct AffinityError: Error, Hashable {
    /// The `errno` value of the failed call; `EINVAL` also where the kernel would have ignored some of the CPUs.
    public let errno: CInt
    /// The CPUs that were asked for; empty if a binding was read.
    public let cpus: CPUSet
    /// The CPUs that this process was given when it started; empty if a binding was read.
    public let allowed: CPUSet
}

extension AffinityError: CustomStringConvertible {
    /// What failed, why, and what is allowed, in one line.
    public var description: String {
        let reason = errorText(errno)
        guard !cpus.isEmpty else {
            let others = allowed.isEmpty ? "" : "; allowed: \(allowed)"
            return "the CPU binding could not be read or set: \(reason)\(others)"
        }
        let others = cpus.subtracting(allowed)
        return "can't bind to CPU \(cpus): \(reason)"
            + (others.isEmpty ? "; allowed: \(allowed)" : "; CPU \(others) is not among those allowed: \(allowed)")
    }
}

/// The text of an `errno` value.
func errorText(_ code: CInt) -> String {
    // SAFETY: `strerror` returns a string that ends in 0 and stays until this thread's next call (glibc ≥ 2.32); it is
    // copied at once.
    unsafe String(cString: strerror(code))
}
