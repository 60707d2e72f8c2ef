package import Remote
import Synchronization

/// The captures of a body, encoded once, and the workers that have them.
package final class CaptureSet: Sendable {
    /// Captures up to this size are cheaper copied into a message than sent in one of their own.
    static let smallByteCount = 1 << 14

    private static let nextID = Atomic<UInt64>(1)

    package let id = CaptureSet.nextID.wrappingAdd(1, ordering: .relaxed).oldValue
    package let encoded: EncodedCaptures

    private struct Holder {
        weak var member: Member?
    }

    /// `nil` when they have been freed.
    private let holders = Mutex<[Holder]?>([])

    package init(_ encoded: EncodedCaptures) {
        self.encoded = encoded
    }

    /// Notes that a worker was told of them; false if they have been freed already, by the end of a map that was still
    /// sending: then the worker has to be told that, too.
    func wasDefined(in member: Member) -> Bool {
        holders.withLock { holders in
            holders?.append(Holder(member: member))
            return holders != nil
        }
    }

    /// Frees them in all workers.
    package func forget() {
        let holders = holders.withLock { holders in
            defer { holders = nil }
            return holders ?? []
        }
        for holder in holders { holder.member?.forget(id) }
    }
}

/// Captures kept in the workers from one call to the next.
///
/// Captures with the same types and bytes are the same. The least recently used go first when there are more bytes than
/// the limit; those of a running call stay.
package final class CaptureCache: Sendable {
    private struct Entry {
        let captures: CaptureSet
        var users = 0
    }

    /// Most bytes that unused captures may take, in the driver and in each worker.
    private let limit: Int
    /// The most recently used is last.
    private let entries = Mutex<[Entry]>([])

    package init(limit: Int = 1 << 29) {
        self.limit = limit
    }

    /// The captures to use for a call, which ends with ``release(_:)``.
    package func take(_ encoded: EncodedCaptures) -> CaptureSet {
        let (captures, evicted) = entries.withLock { entries -> (CaptureSet, [Entry]) in
            let index = entries.lastIndex { entry in
                entry.captures.encoded.typeName == encoded.typeName && entry.captures.encoded.bytes == encoded.bytes
            }
            var entry = index.map { entries.remove(at: $0) } ?? Entry(captures: CaptureSet(encoded))
            entry.users += 1
            entries.append(entry)
            return (entry.captures, evict(&entries))
        }
        for entry in evicted { entry.captures.forget() }
        return captures
    }

    /// Ends the use that ``take(_:)`` began.
    package func release(_ captures: CaptureSet) {
        entries.withLock { entries in
            if let index = entries.firstIndex(where: { $0.captures === captures }) { entries[index].users -= 1 }
        }
    }

    /// Frees all that no running call uses, in the workers too.
    package func clear() {
        let evicted = entries.withLock { entries in
            defer { entries.removeAll { $0.users == 0 } }
            return entries.filter { $0.users == 0 }
        }
        for entry in evicted { entry.captures.forget() }
    }

    private func evict(_ entries: inout [Entry]) -> [Entry] {
        var excess = entries.reduce(0) { $0 + $1.captures.encoded.bytes.count } - limit
        var evicted: [Entry] = []
        for entry in entries where excess > 0 && entry.users == 0 {
            excess -= entry.captures.encoded.bytes.count
            evicted.append(entry)
        }
        entries.removeAll { entry in evicted.contains { $0.captures === entry.captures } }
        return evicted
    }
}
