import Glibc
import Transport

extension JoinFile {
    /// Writes a new file that only this user can read, in a directory that only this user can enter.
    ///
    /// The directory is made if there is none; one that there is has to be this user's, and closed to others.
    ///
    /// - Throws: ``JoinError/Code/badFile``; also if there is such a file already. Then nothing is left behind.
    package func write(to path: String) throws(JoinError) { try write(to: path) { _, _, _ in } }

    /// The same, and hands over the open file and its directory before anything is in it.
    ///
    /// - Parameter onMade: Is given descriptors that are closed afterwards, and the file's name in the directory.
    func write(to path: String, onMade: (_ directory: CInt, _ name: String, _ file: CInt) -> Void) throws(JoinError) {
        let (directory, name) = try JoinFile.openDirectory(of: path, isToBeMade: true)
        defer { close(directory) }
        let file = unsafe openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else {
            let cure = errno == EEXIST ? "; remove it, or give another name" : ""
            throw JoinFile.failure("can't make the join file", path, cure)
        }
        defer { close(file) }
        onMade(directory, name, file)
        var bytes = Array(secretText.utf8)[...]
        // The file mode creation mask can only have taken permissions away: a mask of 0777 leaves none.
        var isWritten = fchmod(file, 0o600) == 0
        while isWritten, !bytes.isEmpty {
            let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(file, $0.baseAddress, $0.count) }
            if count > 0 {
                bytes = bytes.dropFirst(count)
            } else if count == 0 || errno != EINTR {
                isWritten = false
            }
        }
        guard isWritten else {
            let error = JoinFile.failure("can't write the join file", path)
            unsafe unlinkat(directory, name, 0)
            throw error
        }
    }

    /// Reads a file that is this user's, and that nobody else can read or change.
    ///
    /// - Throws: ``JoinError/Code/badFile`` with what is wrong and the cure.
    package static func read(from path: String) throws(JoinError) -> JoinFile {
        let (directory, name) = try openDirectory(of: path, isToBeMade: false)
        defer { close(directory) }
        // Opening a pipe would wait for its other end.
        let file = unsafe openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else {
            let reason = errno == ELOOP ? "it is a symbolic link; give the file itself" : words(errno)
            throw JoinError(.badFile, "can't read the join file \(path): \(reason)")
        }
        defer { close(file) }
        var state = stat()
        guard unsafe fstat(file, &state) == 0 else { throw failure("can't look at the join file", path) }
        guard state.st_mode & S_IFMT == S_IFREG else {
            throw JoinError(.badFile, "\(path) is no regular file, so it can't be a join file")
        }
        guard state.st_uid == geteuid() else {
            throw JoinError(
                .badFile,
                "the join file \(path) belongs to user \(state.st_uid), this process to \(geteuid()): use one of your own"
            )
        }
        guard state.st_mode & 0o077 == 0 else {
            throw JoinError(
                .badFile,
                """
                others can read or change the join file \(path) (mode \(String(state.st_mode & 0o777, radix: 8))): \
                have the driver make a new one
                """)
        }
        return try read(descriptor: file)
    }

    /// Reads a file that the system mounted for this process, such as a Kubernetes Secret.
    ///
    /// Symbolic links are followed: that is how such files are replaced as a whole. Who can put files there can give this
    /// process any other secret as well, so that it is asked only that nobody but root and this user can write this one.
    /// Who can read it is up to the mount: in a container that is this process.
    ///
    /// - Throws: ``JoinError/Code/badFile`` with what is wrong and the cure.
    package static func read(secret path: String) throws(JoinError) -> JoinFile {
        let file = unsafe open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else { throw failure("can't read the secret", path) }
        defer { close(file) }
        var state = stat()
        guard unsafe fstat(file, &state) == 0 else { throw failure("can't look at the secret", path) }
        guard state.st_mode & S_IFMT == S_IFREG else {
            throw JoinError(.badFile, "\(path) is no regular file, so it can't be a secret that was mounted")
        }
        guard state.st_uid == 0 || state.st_uid == geteuid(), state.st_mode & 0o022 == 0 else {
            throw JoinError(
                .badFile,
                """
                others than root and this user can change the secret \(path) (user \(state.st_uid), mode \
                \(String(state.st_mode & 0o777, radix: 8))): mount it read-only, or chmod go-w it
                """)
        }
        return try read(descriptor: file)
    }

    /// Reads to the end of a descriptor that the caller trusts: standard input, an inherited pipe, a mounted secret.
    ///
    /// - Parameter patience: Seconds until the end has to be there; any time unless told.
    /// - Throws: ``JoinError/Code/badFile``, also if there is more than a join file has; ``JoinError/Code/notReached`` if the
    ///   end does not come in time.
    package static func read(descriptor: CInt, within patience: Double? = nil) throws(JoinError) -> JoinFile {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        let end = patience.map { monotonicSeconds() + $0 }
        while bytes.count <= mostBytes {
            if let patience, let end, !isReadable(descriptor, until: end) {
                throw JoinError(
                    .notReached,
                    """
                    the join file's text did not come to its end in \(patience) s: see what keeps it from coming, or set \
                    MUSTER_WORKER_TIMEOUT to more seconds
                    """)
            }
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count == 0 { return try JoinFile(secretText: bytes) }
            if count > 0 {
                bytes += chunk[..<count]
            } else if errno != EINTR {
                throw JoinError(.badFile, "can't read the join file: \(words(errno))")
            }
        }
        throw bad("it has more than \(mostBytes) bytes")
    }

    /// Waits until there is something to read, an end or an error among it; false if there is nothing in time.
    private static func isReadable(_ descriptor: CInt, until end: Double) -> Bool {
        while true {
            let left = max(end - monotonicSeconds(), 0)
            var wanted = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            // A day at a time: the number is one of 32 bits.
            let count = unsafe poll(&wanted, 1, CInt((min(left, 86_400) * 1000).rounded(.up)))
            // What is wrong with the descriptor, reading it tells.
            if count > 0 || (count < 0 && errno != EINTR && errno != EAGAIN) { return true }
            if left == 0 { return false }
        }
    }

    /// Removes the file, for when all have joined; nothing happens if there is none.
    package static func remove(_ path: String) {
        guard let (directory, name) = try? openDirectory(of: path, isToBeMade: false) else { return }
        unsafe unlinkat(directory, name, 0)
        close(directory)
    }

    /// Opens the directory that a path names its file in, if it is this user's alone.
    static func openDirectory(
        of path: String, isToBeMade: Bool
    ) throws(JoinError) -> (descriptor: CInt, name: String) {
        var parts = path.split(separator: "/", omittingEmptySubsequences: false)
        let name = String(parts.removeLast())
        guard !name.isEmpty, name != ".", name != "..", !path.utf8.contains(0) else {
            throw JoinError(.badFile, "\"\(path)\" does not name a file")
        }
        let directory = parts.isEmpty ? "." : parts == [""] ? "/" : parts.joined(separator: "/")
        if isToBeMade, unsafe mkdir(directory, 0o700) != 0, errno != EEXIST {
            throw failure(
                "can't make the directory", directory,
                "; set XDG_RUNTIME_DIR to a directory of yours, or give --join-file a path in one that there is")
        }
        let descriptor = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("can't open the directory", directory) }
        var state = stat()
        guard unsafe fstat(descriptor, &state) == 0, state.st_uid == geteuid(), state.st_mode & 0o077 == 0 else {
            let isOwn = state.st_uid == geteuid() && state.st_mode & S_ISVTX == 0 && !isOfTheSystem(descriptor)
            close(descriptor)
            throw JoinError(
                .badFile,
                """
                the directory \(directory) of a join file has to be yours and closed to others: \
                \(isOwn
                    ? "chmod 700 it, or use another one"
                    : "make one of your own: `mkdir -m 700 ~/.muster`, and put the file there")
                """)
        }
        return (descriptor, name)
    }

    /// Whether an open directory is `/`, or stands in it, as `/etc` and `/home` do: to close those to others breaks the host,
    /// and root owns them.
    private static func isOfTheSystem(_ directory: CInt) -> Bool {
        var (root, parent) = (stat(), stat())
        // The parent of `/` is `/`.
        guard unsafe stat("/", &root) == 0, unsafe fstatat(directory, "..", &parent, 0) == 0 else { return true }
        return (root.st_dev, root.st_ino) == (parent.st_dev, parent.st_ino)
    }

    private static func failure(_ what: String, _ path: String, _ cure: String = "") -> JoinError {
        JoinError(.badFile, "\(what) \(path): \(words(errno))\(cure)")
    }

    private static func words(_ code: CInt) -> String { unsafe String(cString: strerror(code)) }
}
