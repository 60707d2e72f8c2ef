internal import Glibc
internal import Placement
internal import Synchronization

/// Why CPUs could not be reserved.
struct ReservationError: Error, CustomStringConvertible {
    let description: String
}

/// The directory where this user's processes write down which CPUs their workers have.
struct ReservationDirectory {
    private let path: String
    /// The numbers of this process's files. A process of another container may have the same process number.
    private static let numbers = Mutex<Set<Int>>([])

    /// Finds or makes the directory.
    ///
    /// - Throws: ``ReservationError`` where it can't be made, or belongs to somebody else.
    init() throws(ReservationError) {
        let base = RuntimeDirectory.path
        path = base
        var status = stat()
        if unsafe mkdir(base, 0o700) != 0, errno != EEXIST {
            throw ReservationError(
                description: "CPUs can't be reserved in \(base): \(errorText(errno)); set XDG_RUNTIME_DIR to a "
                    + "directory of yours")
        }
        guard unsafe lstat(base, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, status.st_uid == getuid(),
            status.st_mode & 0o022 == 0
        else {
            throw ReservationError(
                description: "CPUs can't be reserved in \(base): it is not a directory that only you can write to; "
                    + "remove it, or set XDG_RUNTIME_DIR to a directory of yours")
        }
    }

    /// Calls `body` while no other process reads or writes here.
    ///
    /// Others hold the lock for a plan's time. Where it can't be had, or not for a second, the worst is that two processes
    /// choose the same CPUs.
    func withLock<R, E>(_ body: () throws(E) -> R) throws(E) -> R {
        let file = unsafe open("\(path)/lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        defer { if file >= 0 { close(file) } }
        if file >= 0 {
            var attempts = 1000
            while flock(file, LOCK_EX | LOCK_NB) != 0, attempts > 0 {
                attempts -= 1
                usleep(1000)
            }
        }
        return try body()
    }

    /// A new file, locked for as long as it is open.
    func newFile() throws(ReservationError) -> (path: String, file: CInt) {
        var number = ReservationDirectory.numbers.withLock { $0.max() ?? 0 }
        var name: String
        var file: CInt
        repeat {
            number += 1
            name = "\(path)/cpus-\(getpid())-\(number)"
            file = unsafe open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        } while file < 0 && errno == EEXIST
        guard file >= 0, flock(file, LOCK_EX | LOCK_NB) == 0 else {
            let reason = errorText(errno)
            if file >= 0 {
                _ = unsafe unlink(name)
                close(file)
            }
            throw ReservationError(description: "CPUs can't be reserved in \(path): \(reason)")
        }
        ReservationDirectory.numbers.withLock { [number] in _ = $0.insert(number) }
        return (name, file)
    }

    /// What is reserved; files of processes that have ended are removed.
    func occupations() -> [Occupation] {
        var occupations: [String: CPUSet] = [:]
        for name in names(inDirectory: path) where name.hasPrefix("cpus-") {
            let numbers = name.dropFirst(5).split(separator: "-").compactMap { Int($0) }
            guard numbers.count == 2 else { continue }
            let (process, number) = (numbers[0], numbers[1])
            // Without waiting, whatever it is: others wait for the lock that is held here.
            let file = unsafe open("\(path)/\(name)", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
            guard file >= 0 else { continue }
            defer { close(file) }
            if flock(file, LOCK_SH | LOCK_NB) == 0 {
                _ = unsafe unlink("\(path)/\(name)")
                continue
            }
            guard let bytes = try? readFile("\(path)/\(name)", limit: 1 << 16),
                let cpus = try? CPUSet(parsing: String(decoding: bytes, as: UTF8.self)), !cpus.isEmpty
            else { continue }
            let isOwn = process == getpid() && ReservationDirectory.numbers.withLock { $0.contains(number) }
            let text = isOwn ? CPUReservation.own : "process \(process)"
            occupations[text] = (occupations[text] ?? []).union(cpus)
        }
        return occupations.sorted { $0.key < $1.key }.map { Occupation(owner: $0.key, cpus: $0.value) }
    }
}
