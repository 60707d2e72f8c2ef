import Glibc

/// The directory where this user's processes keep what ends with a session: `$XDG_RUNTIME_DIR/muster`,
/// `/run/user/UID/muster`, or `/tmp/muster-UID`.
package enum RuntimeDirectory {
    /// Its path; it need not be there.
    package static var path: String {
        if let runtime = unsafe getenv("XDG_RUNTIME_DIR"), unsafe runtime.pointee == CChar(UInt8(ascii: "/")) {
            return unsafe String(cString: runtime) + "/muster"
        }
        // What the variable says where it is set: a session and what runs without one see each other.
        return unsafe access("/run/user/\(getuid())", W_OK) == 0
            ? "/run/user/\(getuid())/muster" : "/tmp/muster-\(getuid())"
    }
}
