import Glibc
import Synchronization
import Wire

/// A part of a segment, mapped once more, with room for an array's head before it.
///
/// Before the segment's pages there is a page of this process's own. Where the head reaches into the first of the
/// segment's pages, this process gets a copy of that one when the head is written. So nobody else ever sees the head. All
/// other pages are the segment's, in memory once for all who map them, and can't be written to here.
@safe
final class ArrayMapping: @unchecked Sendable {
    /// Not given back before this is unmapped.
    private let segment: Segment
    private let base: UnsafeMutableRawPointer
    private let byteCount: Int
    /// The bytes of the segment.
    let bytes: UnsafeRawBufferPointer
    private let place: Place

    /// Where in a segment the bytes at some addresses lie.
    fileprivate struct Place: Sendable {
        let start: UInt
        let byteCount: Int
        let segment: Segment
        let offset: Int

        init(start: UInt, byteCount: Int, _ segment: Segment, _ offset: Int) {
            self.start = start
            self.byteCount = byteCount
            self.segment = segment
            self.offset = offset
        }
    }

    /// All that are mapped: few, because each is large.
    private static let places = Mutex<[Place]>([])

    /// Where in a segment bytes lie that are mapped for an array, or a part of one.
    static func place(of bytes: UnsafeRawBufferPointer) -> (segment: Segment, byteOffset: Int)? {
        let start = UInt(bitPattern: bytes.baseAddress)
        return places.withLock { places in
            for place in places where place.start <= start {
                let distance = start - place.start
                guard distance < UInt(place.byteCount), bytes.count <= place.byteCount - Int(distance) else { continue }
                return (place.segment, place.offset + Int(distance))
            }
            return nil
        }
    }

    /// Maps `count` bytes from `offset` of a segment; nil if they are not aligned as an array is, or not to be mapped:
    /// addresses or mappings have run out.
    init?(_ segment: Segment, offset: Int, count: Int) {
        let (page, head) = (SharedMemory.pageByteCount, AdoptedArray.headByteCount)
        // From the start of the arena.
        let start = segment.name.offset + offset
        guard offset >= 0, count > 0, count <= segment.name.byteCount - offset, start % 16 == 0 else { return nil }
        let before = start % page
        let byteCount = page + (before + count + page - 1) / page * page
        // Reserved as a whole first, so that what is put in its place next replaces nothing of anybody's.
        let reserved = unsafe mmap(nil, byteCount, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        guard let base = unsafe reserved, unsafe base != MAP_FAILED else { return nil }
        // SAFETY: behind the first page of what was reserved, to its end. The arena's size is fixed, and the part is in it.
        let flags = MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE
        let mapped = unsafe mmap(base + page, byteCount - page, PROT_READ, flags, segment.memory.number, start - before)
        guard unsafe mapped != MAP_FAILED else {
            // What was reserved there may be gone, and another's mapping have come: it is left, which takes no memory.
            unsafe munmap(base, page)
            return nil
        }
        // The pages that the head is on.
        let (first, last) = ((page + before - head) / page, (page + before - 1) / page)
        guard unsafe mprotect(base + first * page, (last - first + 1) * page, PROT_READ | PROT_WRITE) == 0 else {
            unsafe munmap(base, byteCount)
            return nil
        }
        unsafe self.base = base
        self.byteCount = byteCount
        self.segment = segment
        unsafe bytes = UnsafeRawBufferPointer(start: base + page + before, count: count)
        unsafe madvise(base, byteCount, MADV_DONTDUMP)
        place = Place(start: UInt(bitPattern: unsafe bytes.baseAddress), byteCount: count, segment, offset)
        ArrayMapping.places.withLock { $0.append(place) }
    }

    deinit {
        ArrayMapping.places.withLock { places in
            if let index = places.firstIndex(where: { $0.start == place.start }) { places.remove(at: index) }
        }
        // SAFETY: mapped by `init`, and unmapped nowhere else; who has the bytes keeps `self`.
        unsafe munmap(base, byteCount)
    }
}

extension Segment: ArrayRoom {
    /// Maps the pages that `bytes` are on once more, for an array over them.
    ///
    /// - Complexity: Four system calls, 10 µs. Page faults come when it is read: 5 ms for 80 MB, once.
    package func makeRoom(before bytes: UnsafeRawBufferPointer) -> (bytes: UnsafeRawBufferPointer, owner: AnyObject)? {
        guard let first = bytes.baseAddress, let start = UnsafeRawPointer(unsafe self.bytes.baseAddress),
            let mapping = ArrayMapping(self, offset: unsafe first - start, count: bytes.count)
        else { return nil }
        return unsafe (mapping.bytes, mapping)
    }
}
