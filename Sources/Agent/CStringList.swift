import Glibc

/// C strings for a call that takes a NULL-terminated list of them.
///
/// Strings that came from the system are passed on byte for byte: they need not be UTF-8.
@safe
struct CStringList: ~Copyable {
    private var owned: [UnsafeMutablePointer<CChar>]
    private var pointers: [UnsafeMutablePointer<CChar>?]

    init() {
        unsafe owned = []
        unsafe pointers = []
    }

    deinit {
        unsafe owned.forEach { unsafe free($0) }
    }

    mutating func append(_ string: String) {
        guard let copy = unsafe strdup(string) else { fatalError("no memory for an argument") }
        unsafe owned.append(copy)
        unsafe pointers.append(copy)
    }

    /// Adds a string that need not be UTF-8; a zero byte ends it early.
    mutating func append(_ bytes: [UInt8]) {
        let signed = bytes.prefix { $0 != 0 }.map(CChar.init(bitPattern:)) + [0]
        // SAFETY: the array ends with zero; strdup returns a string of its own.
        guard let copy = unsafe strdup(signed) else { fatalError("no memory for an argument") }
        unsafe owned.append(copy)
        unsafe pointers.append(copy)
    }

    /// Adds a string that outlives this list.
    @unsafe
    mutating func append(borrowed pointer: UnsafeMutablePointer<CChar>) {
        unsafe pointers.append(pointer)
    }

    func withPointers<R>(_ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) throws -> R) rethrows -> R {
        try unsafe (pointers + [nil]).withUnsafeBufferPointer { try unsafe body($0.baseAddress!) }
    }
}

extension CStringList {
    /// This process's environment with the additions, which replace variables of the same name.
    static func environment(adding added: [String: String]) -> CStringList {
        var list = CStringList()
        for (name, value) in added { list.append("\(name)=\(value)") }
        var index = 0
        while let entry = unsafe environ[index] {
            let name = unsafe String(cString: entry).prefix { $0 != "=" }
            // SAFETY: entries are not freed by setenv; the spawn is over before a user could reuse putenv memory.
            if added[String(name)] == nil { unsafe list.append(borrowed: entry) }
            index += 1
        }
        return list
    }
}
