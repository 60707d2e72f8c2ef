import Glibc

/// The value of an environment variable.
func environment(_ name: String) -> String? {
    // SAFETY: nothing in these tests changes the environment; the string is copied at once.
    unsafe getenv(name).map { unsafe String(cString: $0) }
}

/// The names of the files in a directory, sorted; none if there is no such directory.
func files(in directory: String) -> [String] {
    // SAFETY: the directory is open until `closedir`; each entry is copied before the next is read.
    guard let stream = unsafe opendir(directory) else { return [] }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
        let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        names.append(name)
    }
    return names.sorted()
}
