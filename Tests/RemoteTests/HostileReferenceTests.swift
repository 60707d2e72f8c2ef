import Synchronization
import Testing
import Transport
import Wire

@testable import Remote

/// A channel whose takers don't hear that they are cancelled.
private final class Deaf: AbstractChannel {
    let isTaken = Eventual<Void>()
    let gate = Eventual<Void>()
    let back = Eventual<Int>()

    func put(_ value: Int) async throws { back.fulfil(value) }
    func take() async throws -> Int {
        isTaken.fulfil(())
        await gate.get()
        return 7
    }
    func fetch() async throws -> Int { 7 }
    var isReady: Bool { true }
    func close() async throws {}
}

@Suite("References that are used in ways not meant")
struct HostileReferenceTests {
    @Test("a count that is none is refused", arguments: [Int.min, .max, (1 << 40) + 1, -(1 << 40) - 1])
    func counts(change: Int) throws {
        var output = WireWriter(reserving: 64)
        output.write(ReferenceName(whence: 1, number: 1), 2, change)
        let bytes = try output.finish()
        #expect(throws: WireError.self) { try ReferenceCount(wireBytes: bytes) }
    }

    @Test(
        "a part of a reduction whose elements have no number is refused",
        arguments: [
            ([Int](repeating: 1 << 49, count: 1 << 14), 0), ([1], -1), ([1], .max), ([.max], 0), ([0], 0), ([], 0),
        ])
    func parts(sizes: [Int], start: Int) throws {
        var output = WireWriter(reserving: 64)
        output.write(sizes, start)
        let bytes = try output.finish()
        #expect(throws: WireError.self) {
            var reader = WireReader(bytes.span)
            _ = try ReductionTree.read(from: &reader)
        }
    }

    @Test("nobody waits for a future that was freed with the process that named it")
    func freed() throws {
        let table = ReferenceTable(of: 1)
        let name = ReferenceName(whence: 2, number: 7)
        table.expect(name)
        table.fulfil(name, StoredValue([1], blocks: [], attachments: WireAttachments()))
        table.forget(2)
        let told = Eventual<Bool>()
        let nothing: [UInt8] = []
        var reader = WireReader(nothing.span)
        let asker = ReferenceAsker(process: 3, call: 1) { answer in
            if case .failed(let error) = answer { told.fulfil(error.code == .unknown) }
        }
        try table.serve(.fetchFuture, name, &reader, for: asker)
        #expect(told.value == true && table.count == 0)
    }

    @Test("a value that a channel of one's own gave to who did not want it any more goes back")
    func takenInVain() async throws {
        let deaf = Deaf()
        let channel = OwnChannel(deaf)
        let asker = ReferenceAsker(process: 3, call: 1) { _ in }
        let nothing = StoredValue([], blocks: [], attachments: WireAttachments())
        channel.serve(.takeChannel, nothing, limit: 1, for: asker)
        await deaf.isTaken.get()
        channel.cancel(asker)
        deaf.gate.fulfil(())
        #expect(await deaf.back.get() == 7)
    }
}
