import Glibc
import Testing

@testable import SharedMemoryLink

@Suite("Shared memory")
struct SharedMemoryTests {
    @Test("new memory is zero, and has the size that was asked for", arguments: [1, 4095, 4096, 4097, 1 << 20])
    func makes(byteCount: Int) throws {
        let memory = try SharedMemory(byteCount: byteCount)
        let isZero = unsafe memory.bytes.allSatisfy { $0 == 0 }
        #expect(isZero && memory.byteCount == byteCount)
        #expect(memory.allocatedByteCount >= byteCount)
    }

    @Test("what one mapping writes another reads, for reading or for both")
    func shares() throws {
        let memory = try SharedMemory(byteCount: 10_000)
        let reader = try SharedMemory(
            mapping: memory.readOnlyDescriptor(), access: .reading, byteCounts: 10_000...10_000)
        let writer = try SharedMemory(
            mapping: memory.writableDescriptor(), access: .readingAndWriting, byteCounts: 1...20_000)
        unsafe memory.bytes[9999] = 7
        unsafe writer.bytes[1] = 8
        let seen = unsafe (reader.bytes[9999], reader.bytes[1], memory.bytes[1])
        #expect(seen == (7, 8, 8))
    }

    @Test("its size can't be changed, not even by one who may write")
    func sealed() throws {
        let descriptor = try SharedMemory(byteCount: 8192).writableDescriptor()
        #expect(ftruncate(descriptor.number, 4096) == -1 && errno == EPERM)
        #expect(ftruncate(descriptor.number, 16384) == -1 && errno == EPERM)
    }

    @Test("a descriptor for reading can't be mapped for writing")
    func readOnly() throws {
        let memory = try SharedMemory(byteCount: 4096)
        let error = #expect(throws: SharedMemoryError.self) {
            _ = try SharedMemory(
                mapping: memory.readOnlyDescriptor(), access: .readingAndWriting, byteCounts: 4096...4096)
        }
        #expect(error?.code == .system)
    }

    @Test("descriptors are closed on exec, and when their owner goes")
    func descriptors() throws {
        var memory: SharedMemory? = try SharedMemory(byteCount: 4096)
        let descriptors = try [memory!.readOnlyDescriptor().release(), memory!.writableDescriptor().release()]
        for number in descriptors {
            #expect(fcntl(number, F_GETFD) == FD_CLOEXEC)
            close(number)
        }
        weak let held = memory
        memory = nil
        #expect(held == nil)
    }

    @Test("another size than was agreed on is refused", arguments: [1...4095, 4097...8192])
    func wrongSize(agreed: ClosedRange<Int>) throws {
        let memory = try SharedMemory(byteCount: 4096)
        let error = #expect(throws: SharedMemoryError.self) {
            _ = try SharedMemory(mapping: memory.readOnlyDescriptor(), access: .reading, byteCounts: agreed)
        }
        #expect(error?.code == .untrusted && error?.description.contains("4096 bytes") == true)
    }

    @Test("what is no memory of a fixed size is refused", arguments: ["/dev/zero", "/etc/passwd"])
    func noMemory(path: String) {
        let error = #expect(throws: SharedMemoryError.self) {
            let number = unsafe open(path, O_RDONLY | O_CLOEXEC)
            _ = try SharedMemory(mapping: Descriptor(owning: number), access: .reading, byteCounts: 0...Int.max)
        }
        #expect(error?.code == .untrusted)
    }

    @Test("more than the address space or the machine has is an error that says how much, and what helps")
    func tooMuch() {
        // Neither takes a page: the first can't be mapped, the second is refused before.
        let errors = [
            #expect(throws: SharedMemoryError.self) { _ = try SharedMemory(byteCount: 1 << 62, available: 0) },
            #expect(throws: SharedMemoryError.self) { _ = try SharedMemory(byteCount: 9999, available: 9998) },
        ]
        for (error, byteCount) in zip(errors, [1 << 62, 9999]) {
            #expect(error?.code == .outOfMemory)
            #expect(error?.description.contains("\(byteCount) bytes") == true)
            #expect(error?.description.contains("ulimit -v") == true)
        }
        #expect(errors[1]?.description.contains("have 9998 bytes left") == true)
    }

    @Test("more than the limit on file size is an error, and no signal")
    func fileSize() async {
        await #expect(processExitsWith: .success) {
            var limit = rlimit(rlim_cur: 8192, rlim_max: 8192)
            guard unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0 else { exit(1) }
            _ = try SharedMemory(byteCount: 8192)
            let error = #expect(throws: SharedMemoryError.self) {
                _ = try SharedMemory(byteCount: 8193, allocation: .sparse)
            }
            guard error?.code == .outOfMemory, error?.description.contains("ulimit -f") == true else { exit(2) }
        }
    }

    @Test("sparse memory takes pages when they are allocated, and gives them back")
    func sparse() throws {
        let memory = try SharedMemory(byteCount: 1 << 40, allocation: .sparse)
        #expect(memory.allocatedByteCount == 0)
        try memory.create(1 << 30..<(1 << 30) + 81_920)
        #expect(memory.allocatedByteCount == 81_920)
        #expect(memory.isPresent(1 << 30..<(1 << 30) + 81_920) && !memory.isPresent(1 << 30..<(1 << 30) + 81_921))
        unsafe memory.bytes[1 << 30] = 1
        try memory.release(1 << 30..<(1 << 30) + 40_960)
        #expect(memory.allocatedByteCount == 40_960)
        let again = unsafe memory.bytes[1 << 30]
        #expect(again == 0)
    }

    @Test("bytes that are written past the mapping are seen through it, and their pages are there")
    func writes() throws {
        let memory = try SharedMemory(byteCount: 1 << 20, allocation: .sparse)
        let text = Array("what is written".utf8)
        try unsafe text.withUnsafeBytes { try unsafe memory.write($0, at: 4090) }
        let seen = unsafe Array(memory.bytes[4090..<4090 + text.count])
        #expect(seen == text)
        #expect(memory.isPresent(0..<8192) && !memory.isPresent(8192..<12288))
        memory.enter(0..<8192)
        #expect(memory.allocatedByteCount == 8192)
    }

    @Test("reading a page that is not there allocates it: why a peer's holes are refused")
    func hole() throws {
        let memory = try SharedMemory(byteCount: 1 << 20, allocation: .sparse)
        let reader = try SharedMemory(
            mapping: memory.readOnlyDescriptor(), access: .reading, byteCounts: 1 << 20...1 << 20)
        let byte = unsafe reader.bytes[5000]
        #expect(byte == 0 && memory.allocatedByteCount == SharedMemory.pageByteCount)
    }

    @Test("huge pages are asked for only where the kernel has been told to give them")
    func hugePages() {
        #expect(SharedMemory.grantsHugePages(setting: "always within_size [advise] never deny force\n"))
        #expect(!SharedMemory.grantsHugePages(setting: "always within_size advise [never] deny force\n"))
        #expect(!SharedMemory.grantsHugePages(setting: ""))
    }

    @Test("memory has one identity in every mapping, and other memory another")
    func identity() throws {
        let (first, second) = try (SharedMemory(byteCount: 4096), SharedMemory(byteCount: 4096))
        let reader = try SharedMemory(mapping: first.readOnlyDescriptor(), access: .reading, byteCounts: 4096...4096)
        #expect(reader.identity == first.identity && second.identity != first.identity)
    }
}
