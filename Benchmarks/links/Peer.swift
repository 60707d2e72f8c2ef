import Synchronization
import TCPLink
import Transport
import Wire

/// The side that dials.
struct Peer {
    let measure: Measure
    let count: Int

    init(_ measure: Measure, _ count: Int) { (self.measure, self.count) = (measure, count) }

    func run(_ file: JoinFile) async throws {
        switch measure {
        case .scale: try await many(file)
        case .roundTrip: try await answer(file) { link in { bytes in try? send(bytes, on: link) } }
        case .oneWay, .messages:
            try await answer(file) { link in { bytes in if bytes == [2] { try? send([1], on: link) } } }
        }
    }

    /// As many hosts as are wanted, all at once.
    private func many(_ file: JoinFile) async throws {
        let ends = Atomic(0)
        let end = Eventual<Void>()
        try await withThrowingTaskGroup { group in
            for _ in 0..<count {
                group.addTask {
                    var options = Dialer.Options()
                    options.patience = .seconds(120)
                    return try await Dialer.join(file, buildID: Driver.buildID, options: options)
                }
            }
            for try await link in group {
                link.start { _ in
                    try? send([1], on: link)
                } onEnd: { _ in
                    if ends.add(1, ordering: .relaxed).newValue == count { end.fulfil(()) }
                }
            }
        }
        await end.get()
    }

    private func answer(_ file: JoinFile, _ make: (TCPLink) -> @Sendable ([UInt8]) -> Void) async throws {
        let link = try await Dialer.join(file, buildID: Driver.buildID)
        let end = Eventual<Void>()
        let answer = make(link)
        link.start { frame in
            answer(frame.rest.byteCount == 1 ? frame.rest.copyBytes() : [])
        } onEnd: { _ in
            end.fulfil(())
        }
        await end.get()
    }
}
