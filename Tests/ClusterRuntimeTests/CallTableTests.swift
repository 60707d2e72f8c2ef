import Remote
import Testing
import Wire

@testable import ClusterRuntime

private final class Receiver: CallReceiver {
    func receive(_ reply: inout WireReader, for batch: Range<Int>, from member: Member) {}
    func fail(_ error: any Error, for batch: Range<Int>, of member: Member) {}
}

@Suite("CallTable")
struct CallTableTests {
    private let receiver = Receiver()

    private func call(_ number: Int) -> CallTable.Call {
        CallTable.Call(receiver: receiver, batch: number..<number + 1)
    }

    @Test("calls are found by their numbers, in whatever order they are answered", arguments: 0..<20)
    func model(seed: UInt64) {
        var random = Seeded(state: seed)
        var table = CallTable()
        var model: [UInt64: Int] = [:]
        for step in 0..<20_000 {
            if Int.random(in: 0..<5, using: &random) < 3 || model.isEmpty {
                let number = table.add(call(step))
                #expect(model[number] == nil)
                model[number] = step
            } else {
                // Mostly the oldest, now and then any.
                let isOldest = Int.random(in: 0..<4, using: &random) > 0
                guard let number = isOldest ? model.keys.min() : model.keys.randomElement(using: &random) else {
                    continue
                }
                #expect(table.contains(number))
                #expect(table.take(number)?.batch.lowerBound == model.removeValue(forKey: number))
                #expect(table.take(number) == nil && !table.contains(number))
            }
            if model.count > 300 { for number in model.keys { _ = table.take(number) }; model = [:] }
        }
        #expect(table.count == model.count)
        #expect(Set(table.numbers(of: receiver)) == Set(model.keys))
        #expect(table.takeAll().map(\.batch.lowerBound) == model.sorted { $0.key < $1.key }.map(\.value))
        #expect(table.count == 0 && table.take(1) == nil && table.take(.max) == nil)
    }

    @Test("one call that takes long does not keep room for all that come after it")
    func stuck() {
        var table = CallTable()
        let first = table.add(call(0))
        for number in 1..<100_000 { #expect(table.take(table.add(call(number)))?.batch.lowerBound == number) }
        #expect(table.room < 10_000)
        #expect(table.contains(first) && table.count == 1 && table.numbers(of: receiver) == [first])
        #expect(table.take(first)?.batch == 0..<1)
        #expect(table.count == 0)
    }

    @Test("a call is handed over to another receiver, if there is no answer yet, wherever it is kept")
    func handedOver() throws {
        var table = CallTable()
        let first = table.add(call(0))
        let second = table.add(call(1))
        #expect(table.take(second) != nil)
        for number in 2..<10_000 { _ = table.take(table.add(call(number))) }
        let last = table.add(call(10_000))
        let other = Receiver()
        let hasFirst = table.handOver(first, to: other)
        let hasSecond = table.handOver(second, to: other)
        let hasLast = table.handOver(last, to: other)
        #expect(hasFirst && !hasSecond && hasLast && table.count == 2)
        #expect(table.numbers(of: receiver).isEmpty && table.take(first)?.receiver === other)
        #expect(table.take(last)?.receiver === other && table.count == 0)
    }
}

/// Reproducible numbers (SplitMix64).
private struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
