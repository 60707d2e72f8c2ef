import Agent
import Glibc

/// A secret that the user chose, by which processes that join and their driver prove themselves to each other.
///
/// Unless one is given, each launch has a random one, which is better. It is never taken from a command line, where every
/// user of the host could read it.
public struct ClusterKey: Hashable, Sendable {
    let bytes: [UInt8]

    /// A key of 1 to 256 bytes. Fewer than 16 are accepted where only the loopback address is listened on.
    ///
    /// - Throws: `LaunchError` for another length.
    public init(_ bytes: some Sequence<UInt8>) throws {
        self.bytes = Array(bytes)
        guard (1...256).contains(self.bytes.count) else {
            throw LaunchError("a key has 1 to 256 bytes, not \(self.bytes.count)")
        }
    }

    /// The key that a text spells in UTF-8.
    ///
    /// - Throws: `LaunchError` for a text of no bytes, or more than 256.
    public init(_ text: String) throws { try self.init(text.utf8) }

    /// The key that a file holds: its bytes, without a line's end at the last.
    ///
    /// - Throws: `LaunchError` if the file is not this user's, others can read or change it, or it holds no key; with the
    ///   cure.
    public init(contentsOf path: String) throws {
        let file = unsafe open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else {
            let reason =
                unsafe errno == ELOOP ? "it is a symbolic link; give the file itself" : String(cString: strerror(errno))
            throw LaunchError("can't read the key file \(path): \(reason)")
        }
        defer { close(file) }
        var state = stat()
        guard unsafe fstat(file, &state) == 0, state.st_mode & S_IFMT == S_IFREG else {
            throw LaunchError("\(path) is no regular file, so it can't be a key file")
        }
        guard state.st_uid == geteuid(), state.st_mode & 0o077 == 0 else {
            throw LaunchError(
                """
                the key file \(path) has to be yours and closed to others (it is user \(state.st_uid)'s, mode \
                \(String(state.st_mode & 0o777, radix: 8))): chmod 600 it, and if others could read it make another key
                """)
        }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = unsafe read(file, &bytes, bytes.count)
        guard count >= 0 else { throw LaunchError("can't read the key file \(path)") }
        bytes.removeSubrange(count...)
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        guard (1...256).contains(bytes.count) else {
            throw LaunchError(
                "the key file \(path) has \(bytes.isEmpty ? "no bytes" : "more than 256 bytes"); a key has 1 to 256")
        }
        try self.init(bytes)
    }
}

extension ClusterKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// That it is a key, and no more.
    public var description: String { "ClusterKey(secret)" }
    /// The same.
    public var debugDescription: String { description }
    /// Nothing inside, so that `dump` shows nothing.
    public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}
