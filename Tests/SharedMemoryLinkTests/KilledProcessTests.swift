import Glibc
import Testing

@testable import SharedMemoryLink

/// What becomes of memory whose processes are killed. An exit test is a process of its own; it reaches this one's memory
/// through /proc, as a process of the same user can.
@Suite("Shared memory of killed processes", .serialized)
struct KilledProcessTests {
    @Test("an arena is gone with the process that made it")
    func owner() async throws {
        let before = try sharedByteCount()
        await #expect(processExitsWith: .signal(SIGKILL)) {
            let arena = try SegmentArena(limit: 256 << 20)
            let segment = try arena.allocate(byteCount: 192 << 20)
            guard arena.memory.allocatedByteCount == 192 << 20 else { exit(1) }
            withExtendedLifetime(segment) { _ = kill(getpid(), SIGKILL) }
        }
        // Others use shared memory too: so not all of it, but most.
        #expect(await eventually { (try? sharedByteCount() - before < 96 << 20) == true })
    }

    @Test("a peer that is killed while it reads keeps nothing back")
    func reader() async throws {
        let arena = try SegmentArena(limit: 16 << 20)
        var segment: Segment? = try arena.allocate(byteCount: 8 << 20, zeroed: true)
        unsafe segment?.bytes[4 << 20] = 77
        let held = try arena.memory.readOnlyDescriptor()
        let path = "/proc/\(getpid())/fd/\(held.number)"
        let offset = try #require(segment?.name.offset)
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String, offset = offset as Int] in
            let peer = try PeerArena(openDescriptor(at: path, O_RDONLY), limit: 32 << 20)
            let read = try peer.segment(SegmentName(arena: peer.identity, offset: offset, byteCount: 8 << 20))
            guard unsafe read.bytes[4 << 20] == 77 else { exit(1) }
            withExtendedLifetime(read) { _ = kill(getpid(), SIGKILL) }
        }
        segment = nil
        arena.releaseUnused()
        #expect(arena.memory.allocatedByteCount == 0)
    }

    @Test("what a killed process has filled stays readable for whoever holds it, and can be released")
    func writer() async throws {
        let memory = try SegmentArena.makeMemory(limit: 16 << 20)
        let held = try memory.writableDescriptor()
        let path = "/proc/\(getpid())/fd/\(held.number)"
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            let arena = SegmentArena(
                try SharedMemory(
                    mapping: openDescriptor(at: path, O_RDWR), access: .readingAndWriting, byteCounts: 1...64 << 20))
            let segment = try arena.allocate(byteCount: 8 << 20, zeroed: true)
            guard segment.name.offset == 0 else { exit(1) }
            unsafe segment.bytes[8 << 20 - 1] = 99
            withExtendedLifetime(segment) { _ = kill(getpid(), SIGKILL) }
        }
        let last = unsafe memory.bytes[8 << 20 - 1]
        #expect(last == 99 && memory.allocatedByteCount == 8 << 20)
        try memory.release(0..<memory.byteCount)
        #expect(memory.allocatedByteCount == 0)
    }
}

private func openDescriptor(at path: String, _ flags: CInt) -> Descriptor {
    Descriptor(owning: unsafe open(path, flags | O_CLOEXEC))
}

/// All shared memory of the machine.
private func sharedByteCount() throws -> Int {
    for line in kernelFile("/proc/meminfo").split(separator: "\n") where line.hasPrefix("Shmem:") {
        return try #require(Int(line.split(separator: " ")[1])) * 1024
    }
    return try #require(nil as Int?)
}
