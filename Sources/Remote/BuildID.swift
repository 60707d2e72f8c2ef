import Glibc
public import Wire

/// What tells one build of a program from another.
///
/// Code travels as addresses, which mean the same only in the same build: processes whose build IDs differ refuse
/// each other.
public struct BuildID: Hashable, Sendable, CustomStringConvertible {
    /// The bytes; 20 with the linkers of today.
    public let bytes: [UInt8]

    /// The build ID with these bytes.
    package init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Hexadecimal, as `readelf -n` and `file` print it.
    public var description: String {
        bytes.map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }

    /// The running executable's: the linker's note, or where it left none a digest of the file.
    public static let current: BuildID = note() ?? digest(ofFile: "/proc/self/exe")

    /// Reads the note that the linker left in the executable's memory.
    ///
    /// Source: elf(5), `NT_GNU_BUILD_ID` in a `PT_NOTE` segment.
    private static func note() -> BuildID? {
        guard let start = CodeAddress.executableStart, let base = unsafe UnsafeRawPointer(bitPattern: start) else {
            return nil
        }
        // SAFETY: the kernel mapped the file's first page, which holds the ELF header and the program headers, and the
        // loader every PT_NOTE segment that is part of a PT_LOAD; linkers put these notes there.
        let header = unsafe base.loadUnaligned(as: Elf64_Ehdr.self)
        guard header.e_ident.0 == 0x7f, header.e_ident.1 == UInt8(ascii: "E"),
            header.e_ident.4 == UInt8(ELFCLASS64)
        else { return nil }
        let segments = (0..<Int(header.e_phnum)).map { index in
            let offset = Int(header.e_phoff) + index * Int(header.e_phentsize)
            return unsafe base.loadUnaligned(fromByteOffset: offset, as: Elf64_Phdr.self)
        }
        let linkedAt = segments.first { $0.p_type == UInt32(PT_LOAD) }?.p_vaddr ?? 0
        for segment in segments where segment.p_type == UInt32(PT_NOTE) && segment.p_vaddr >= linkedAt {
            let bytes = unsafe UnsafeRawBufferPointer(
                start: base + Int(segment.p_vaddr - linkedAt), count: Int(segment.p_memsz))
            if let found = unsafe buildID(inNotes: Array(bytes)) { return BuildID(bytes: found) }
        }
        return nil
    }

    /// Looks for the build ID among ELF notes: name size, description size, type, name, description, each padded to 4.
    static func buildID(inNotes notes: [UInt8]) -> [UInt8]? {
        func word(at offset: Int) -> Int {
            (0..<4).reduce(0) { $0 | Int(notes[offset + $1]) << (8 * $1) }
        }
        func padded(_ count: Int) -> Int { (count + 3) & ~3 }
        var offset = 0
        while notes.count - offset >= 12 {
            let (nameCount, count, type) = (word(at: offset), word(at: offset + 4), word(at: offset + 8))
            let name = offset + 12
            guard padded(nameCount) <= notes.count - name else { return nil }
            let description = name + padded(nameCount)
            guard count <= notes.count - description else { return nil }
            if type == 3, Array(notes[name..<name + nameCount]) == Array("GNU\0".utf8) {
                return Array(notes[description..<description + count])
            }
            offset = min(description + padded(count), notes.count)
        }
        return nil
    }

    /// Two 64-bit FNV-1a sums over a file's bytes, the second started elsewhere; tells builds apart, proves nothing.
    ///
    /// Source: Fowler, Noll, Vo, "The FNV non-cryptographic hash algorithm".
    static func digest(ofFile path: String) -> BuildID {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return BuildID(bytes: []) }
        defer { close(descriptor) }
        var (first, second): (UInt64, UInt64) = (0xcbf2_9ce4_8422_2325, 0x84222325_cbf29ce4)
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            for byte in chunk[..<count] {
                first = (first ^ UInt64(byte)) &* 0x100_0000_01b3
                second = (second ^ UInt64(byte)) &* 0x100_0000_01b3
            }
        }
        return BuildID(
            bytes: [first, second].flatMap { sum in (0..<8).map { UInt8(truncatingIfNeeded: sum >> (8 * $0)) } })
    }
}

extension BuildID: WireEncodable, WireDecodable {
    /// Writes the bytes.
    public func write(to output: inout WireWriter) {
        output.write(bytes)
    }

    /// Reads the bytes.
    public init(from input: inout WireReader) throws(WireError) {
        bytes = try input.read()
    }
}
