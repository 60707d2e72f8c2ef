import Glibc

/// The functions that a program's or library's file has, as far as its symbol table tells.
///
/// Read when somebody asks, and not kept: who asks keeps the answers.
///
/// Source: elf(5).
struct SymbolFile: ~Copyable {
    /// A function: its symbol, and where it starts in the file's addresses.
    struct Function {
        let symbol: String
        let start: UInt64
    }

    private let descriptor: Int32
    /// The file's address of its first byte.
    let firstAddress: UInt64
    private let symbols: Elf64_Shdr
    private let names: Elf64_Shdr

    /// Opens a file; nil if it can't be read, or has no symbols.
    init?(_ path: String) {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        guard let contents = SymbolFile.contents(of: descriptor) else {
            Glibc.close(descriptor)
            return nil
        }
        self.descriptor = descriptor
        (firstAddress, symbols, names) = contents
    }

    deinit { Glibc.close(descriptor) }

    private static func contents(
        of descriptor: Int32
    ) -> (firstAddress: UInt64, symbols: Elf64_Shdr, names: Elf64_Shdr)? {
        guard let header = unsafe read(Elf64_Ehdr(), 1, at: 0, of: descriptor).first, header.e_ident.0 == 0x7f,
            header.e_ident.1 == UInt8(ascii: "E"), header.e_ident.4 == UInt8(ELFCLASS64),
            Int(header.e_phentsize) == MemoryLayout<Elf64_Phdr>.stride,
            Int(header.e_shentsize) == MemoryLayout<Elf64_Shdr>.stride
        else { return nil }
        let segments = unsafe read(Elf64_Phdr(), Int(header.e_phnum), at: header.e_phoff, of: descriptor)
        let sections = unsafe read(Elf64_Shdr(), Int(header.e_shnum), at: header.e_shoff, of: descriptor)
        // The full table where it was not stripped, else the one of what others may call.
        let symbols =
            sections.first { $0.sh_type == UInt32(SHT_SYMTAB) } ?? sections.first { $0.sh_type == UInt32(SHT_DYNSYM) }
        guard let symbols, Int(symbols.sh_link) < sections.count,
            Int(symbols.sh_entsize) == MemoryLayout<Elf64_Sym>.stride
        else { return nil }
        let first = segments.first { $0.p_type == UInt32(PT_LOAD) }
        return (first.map { $0.p_vaddr &- $0.p_offset } ?? 0, symbols, sections[Int(symbols.sh_link)])
    }

    /// Reads values from a place in the file; none if they are not all there.
    ///
    /// - Parameters:
    ///   - example: Any value of the type.
    ///   - count: How many; at most 16 million.
    /// - Safety: Any bits must be a value of the type.
    @unsafe
    private static func read<Value: BitwiseCopyable>(
        _ example: Value, _ count: Int, at offset: UInt64, of descriptor: Int32
    ) -> [Value] {
        guard count > 0, count <= 1 << 24, let offset = Int(exactly: offset) else { return [] }
        return unsafe [Value](unsafeUninitializedCapacity: count) { buffer, initialized in
            let bytes = UnsafeMutableRawBufferPointer(buffer)
            var done = 0
            while done < count * MemoryLayout<Value>.stride {
                // SAFETY: what is left of the buffer, which has room for as many values.
                let got = unsafe pread(
                    descriptor, bytes.baseAddress! + done, count * MemoryLayout<Value>.stride - done, offset + done)
                if got < 0, errno == EINTR { continue }
                guard got > 0 else { return }
                done += got
            }
            initialized = count
        }
    }

    /// The functions that hold addresses of the file, in the order of the addresses; nil for one that no function holds.
    ///
    /// - Complexity: One search among the addresses for each symbol of the file, of which a program may have 100,000.
    func functions(at addresses: [UInt64]) -> [Function?] {
        // SAFETY: a symbol is integers.
        let table = unsafe SymbolFile.read(
            Elf64_Sym(), Int(clamping: symbols.sh_size) / MemoryLayout<Elf64_Sym>.stride, at: symbols.sh_offset,
            of: descriptor)
        let order = addresses.indices.sorted { addresses[$0] < addresses[$1] }
        var found = [Elf64_Sym?](repeating: nil, count: addresses.count)
        for symbol in table where symbol.st_info & 0xf == UInt8(STT_FUNC) && symbol.st_shndx != 0 {
            // The first address that does not lie before the function.
            var (low, high) = (0, order.count)
            while low < high {
                let middle = (low + high) / 2
                if addresses[order[middle]] < symbol.st_value { low = middle + 1 } else { high = middle }
            }
            while low < order.count, addresses[order[low]] - symbol.st_value < symbol.st_size {
                found[order[low]] = symbol
                low += 1
            }
        }
        return found.map { symbol in
            guard let symbol else { return nil }
            return Function(symbol: name(at: UInt64(symbol.st_name)), start: symbol.st_value)
        }
    }

    /// Longest symbol that is read whole.
    private static var longestName: UInt64 { 4096 }

    private func name(at offset: UInt64) -> String {
        guard offset < names.sh_size else { return "" }
        let count = min(names.sh_size - offset, SymbolFile.longestName)
        // SAFETY: any bits are a byte.
        let bytes = unsafe SymbolFile.read(UInt8(), Int(count), at: names.sh_offset + offset, of: descriptor)
        return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
}
