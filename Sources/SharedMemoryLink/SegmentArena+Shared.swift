import Synchronization
package import Wire

extension SegmentArena {
    private enum Shared: ~Copyable {
        case wanted(limit: Int?)
        case inherited(Descriptor)
        case made(SegmentArena)
    }

    private static let state = Mutex(Shared.wanted(limit: nil))

    /// This process's arena, made when it is first needed: what the driver puts here all its workers on this host read,
    /// what a worker puts here its driver reads.
    ///
    /// ```swift
    /// let samples = try SharedArray<Double>(count: 10_000_000, in: .shared) { span in … }
    /// let sums = try await cluster.pmap(1...100, capturing: samples) { i, samples in samples.reduce(0, +) }
    /// ```
    ///
    /// Large plain arrays that are sent are copied to here as well, and stay until the other side has done with them.
    ///
    /// - Throws: ``SharedMemoryError`` when address space or descriptors run out.
    public static var shared: SegmentArena {
        get throws(SharedMemoryError) {
            try state.withLock { state throws(SharedMemoryError) in
                let arena: SegmentArena
                switch consume state {
                case .made(let made): arena = made
                case .wanted(let limit):
                    // Where that throws, it is tried anew the next time.
                    state = .wanted(limit: limit)
                    arena = try SegmentArena(limit: limit)
                case .inherited(let descriptor):
                    state = .wanted(limit: nil)
                    let memory = try SharedMemory(
                        mapping: descriptor, access: .readingAndWriting, byteCounts: 1...1 << 46)
                    arena = SegmentArena(memory)
                }
                state = .made(arena)
                return arena
            }
        }
    }

    /// Sets the most bytes of memory that ``shared`` takes, half of what the machine has unless set; for a driver's
    /// workers too, each for itself.
    ///
    /// - Precondition: `limit` is at least 1, and this process's arena has not been used, nor a worker started.
    public static func limitShared(to limit: Int) {
        precondition(limit > 0, "a limit is at least 1 byte")
        state.withLock { state in
            switch consume state {
            case .wanted: state = .wanted(limit: limit)
            case .inherited(let descriptor): state = .inherited(descriptor)
            case .made: preconditionFailure("the shared arena is limited before it is used")
            }
        }
    }

    /// The driver has made this process's arena.
    package static func inherit(_ descriptor: consuming Descriptor) {
        var descriptor: Descriptor? = .some(consume descriptor)
        state.withLock { state in
            if let descriptor = descriptor.take() { state = .inherited(descriptor) }
        }
    }
}

/// Makes blocks in this process's arena.
package final class SharedBlocks: BlockMaker {
    package init() {}

    package func makeBlock(byteCount: Int) -> (bytes: SharedArray<UInt8>, base: UnsafeMutableRawPointer)? {
        guard let arena = try? SegmentArena.shared, let segment = try? arena.allocate(byteCount: byteCount),
            let base = unsafe segment.bytes.baseAddress
        else { return nil }
        // SAFETY: the segment's bytes, which have some value; it keeps them, and nobody else has it.
        let bytes = unsafe UnsafeRawBufferPointer(segment.bytes).assumingMemoryBound(to: UInt8.self)
        return unsafe (SharedArray(bytes, owner: segment), base)
    }
}
