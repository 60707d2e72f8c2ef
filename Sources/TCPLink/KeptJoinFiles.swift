import Glibc
import Synchronization

/// The join files that this process has written, which end with it.
///
/// Each is locked for as long as its process lives, so that whoever finds one whose lock is free knows that its driver was
/// killed: no number of a process tells that, since containers that share a directory have numbers of their own.
package enum KeptJoinFiles {
    private struct Kept {
        /// The directory, so that the file is found wherever this process has moved to.
        let directory: CInt
        let name: String
        /// Holds the lock.
        let file: CInt
    }

    private struct State {
        var files: [String: Kept] = [:]
        var isWatchingExit = false
    }

    private static let state = Mutex(State())

    /// Writes a join file; it is removed when this process exits, at the latest. One of that name that a driver left behind
    /// which was killed is replaced.
    ///
    /// - Throws: As ``JoinFile/write(to:)``.
    package static func write(_ join: JoinFile, to path: String) throws(JoinError) {
        if let (directory, name) = try? JoinFile.openDirectory(of: path, isToBeMade: false) {
            removeIfAbandoned(name, in: directory)
            close(directory)
        }
        try join.write(to: path) { directory, name, file in
            let kept = Kept(
                directory: fcntl(directory, F_DUPFD_CLOEXEC, 3), name: name, file: fcntl(file, F_DUPFD_CLOEXEC, 3))
            // Where the file system has no locks, a file that was left behind stays there until its user removes it.
            flock(kept.file, LOCK_EX | LOCK_NB)
            state.withLock { state in
                state.files[path] = kept
                if !state.isWatchingExit {
                    state.isWatchingExit = true
                    atexit { KeptJoinFiles.removeAll() }
                }
            }
        }
    }

    /// Removes a file that ``write(_:to:)`` made; nothing happens if there is none.
    package static func remove(_ path: String) {
        guard let kept = state.withLock({ $0.files.removeValue(forKey: path) }) else { return }
        remove(kept)
    }

    /// Removes all: this process is about to end.
    package static func removeAll() {
        let all = state.withLock { state in
            defer { state.files = [:] }
            return Array(state.files.values)
        }
        for kept in all { remove(kept) }
    }

    /// The name may be another file's by now: the user has moved one there, or another driver has written it.
    private static func remove(_ kept: Kept) {
        if isNamed(kept.name, in: kept.directory, kept.file) { unsafe unlinkat(kept.directory, kept.name, 0) }
        close(kept.directory)
        close(kept.file)
    }

    // MARK: - What others left behind

    /// Removes the join files of a directory of this user's whose drivers were killed; those named `join-…`.
    package static func removeAbandoned(in path: String) {
        guard let (directory, _) = try? JoinFile.openDirectory(of: path + "/join-", isToBeMade: false) else { return }
        let list = fcntl(directory, F_DUPFD_CLOEXEC, 3)
        defer { close(directory) }
        guard let stream = unsafe fdopendir(list) else {
            close(list)
            return
        }
        defer { unsafe closedir(stream) }
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasPrefix("join-") { removeIfAbandoned(name, in: directory) }
        }
    }

    /// Removes a file if it is a join file of this user's that nobody keeps.
    private static func removeIfAbandoned(_ name: String, in directory: CInt) {
        let file = unsafe openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else { return }
        defer { close(file) }
        let mark = Array("muster-join ".utf8)
        var start = [UInt8](repeating: 0, count: mark.count)
        var opened = stat()
        // One that is still empty is being written. The lock comes first: what is seen under it stays so.
        guard flock(file, LOCK_EX | LOCK_NB) == 0, unsafe fstat(file, &opened) == 0,
            opened.st_mode & S_IFMT == S_IFREG, opened.st_uid == geteuid(),
            unsafe read(file, &start, start.count) == start.count, start == mark, isNamed(name, in: directory, file)
        else { return }
        unsafe unlinkat(directory, name, 0)
    }

    /// Whether a name in a directory is that of an open file.
    private static func isNamed(_ name: String, in directory: CInt, _ file: CInt) -> Bool {
        var (opened, named) = (stat(), stat())
        return unsafe fstat(file, &opened) == 0
            && (unsafe fstatat(directory, name, &named, AT_SYMLINK_NOFOLLOW)) == 0
            && named.st_ino == opened.st_ino && named.st_dev == opened.st_dev
    }
}
