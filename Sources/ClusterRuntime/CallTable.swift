package import Wire

/// Whoever waits for answers to calls. Of each call it is told one of the two, once, on a thread of the link's.
package protocol CallReceiver: AnyObject, Sendable {
    /// A worker has answered: a `BatchReply` is to be read.
    ///
    /// - Parameter batch: What the call was for, as the receiver named it.
    func receive(_ reply: inout WireReader, for batch: Range<Int>, from member: Member)

    /// There will be no answer.
    ///
    /// - Parameter error: A ``WorkerExited`` or a ``ClusterError``.
    func fail(_ error: any Error, for batch: Range<Int>, of member: Member)
}

/// The calls that a worker has not answered, by their numbers, which are given out one after the other.
///
/// Most are answered in the order in which they were made, so this is a queue with gaps rather than a dictionary.
struct CallTable {
    struct Call {
        var receiver: any CallReceiver
        let batch: Range<Int>
    }

    private var calls: [Call?] = []
    /// Index of the oldest that is not answered, or the end.
    private var first = 0
    /// Number of `calls[0]`.
    private var base: UInt64 = 1
    /// Old calls, before `base`: those behind which a queue would only grow.
    private var stuck: [UInt64: Call] = [:]
    /// How many there are.
    private(set) var count = 0

    /// Entries that it has room for in use, of calls or of gaps.
    var room: Int { calls.count + stuck.count }

    /// Adds a call; returns its number.
    mutating func add(_ call: Call) -> UInt64 {
        if calls.count >= 4096, count - stuck.count < calls.count / 8 { setAside() }
        calls.append(call)
        count += 1
        return base + UInt64(calls.count - 1)
    }

    /// Takes out the call with a number; nil if there is none.
    mutating func take(_ number: UInt64) -> Call? {
        if number < base {
            guard let call = stuck.removeValue(forKey: number) else { return nil }
            count -= 1
            return call
        }
        guard number - base < UInt64(calls.count) else { return nil }
        let index = Int(number - base)
        guard let call = calls[index] else { return nil }
        calls[index] = nil
        count -= 1
        if index == first { advance() }
        return call
    }

    private mutating func advance() {
        while first < calls.count, calls[first] == nil { first += 1 }
        if first == calls.count {
            base += UInt64(first)
            calls.removeAll(keepingCapacity: true)
            first = 0
        } else if first >= 1024, first * 2 >= calls.count {
            base += UInt64(first)
            calls.removeFirst(first)
            first = 0
        }
    }

    /// Most were answered, but not the oldest: those that are left leave the queue.
    private mutating func setAside() {
        for (index, call) in calls.enumerated() { stuck[base + UInt64(index)] = call }
        base += UInt64(calls.count)
        calls.removeAll(keepingCapacity: true)
        first = 0
    }

    /// Whether the call with a number waits.
    func contains(_ number: UInt64) -> Bool {
        if number < base { return stuck[number] != nil }
        return number - base < UInt64(calls.count) && calls[Int(number - base)] != nil
    }

    /// Has another receiver told of the call with a number; false if there is no such call any more.
    mutating func handOver(_ number: UInt64, to receiver: any CallReceiver) -> Bool {
        guard contains(number) else { return false }
        if number < base {
            stuck[number]?.receiver = receiver
        } else {
            calls[Int(number - base)]?.receiver = receiver
        }
        return true
    }

    /// The numbers of all calls of one receiver.
    func numbers(of receiver: any CallReceiver) -> [UInt64] {
        stuck.filter { $0.value.receiver === receiver }.keys
            + calls.indices.filter { calls[$0]?.receiver === receiver }.map { base + UInt64($0) }
    }

    /// Takes out all.
    mutating func takeAll() -> [Call] {
        defer {
            base += UInt64(calls.count)
            calls = []
            stuck = [:]
            first = 0
            count = 0
        }
        return stuck.sorted { $0.key < $1.key }.map(\.value) + calls.compactMap { $0 }
    }
}
