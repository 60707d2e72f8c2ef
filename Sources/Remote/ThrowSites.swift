import CPlatform

/// Where errors were thrown that bodies end with, as the Swift runtime tells it.
///
/// Only while bodies run: elsewhere in a user's program a throw costs what it always does.
enum ThrowSites {
    /// Notes throws from now on, until as many calls of ``unwatch()``.
    static func watch() { platform_watch_throws() }

    /// Takes back one ``watch()``.
    static func unwatch() { platform_unwatch_throws() }

    /// The return addresses at the place where an error was thrown first, innermost first; none if it isn't known.
    ///
    /// They are forgotten with that.
    static func take(_ error: any Error) -> [UInt] {
        // SAFETY: an error is one word, the address of its box, unless the call opens it, which the cast keeps it from; it is
        // compared with others, not followed.
        let box = unsafe unsafeBitCast(error as any Error, to: UInt.self)
        let type = UInt(bitPattern: ObjectIdentifier(Swift.type(of: error) as any Any.Type))
        return unsafe [UInt](unsafeUninitializedCapacity: Int(PLATFORM_THROW_FRAMES)) { frames, count in
            // SAFETY: there is room for as many as are kept, and the result says how many of them were set.
            count = Int(unsafe platform_take_throw(box, type, frames.baseAddress))
        }
    }
}
