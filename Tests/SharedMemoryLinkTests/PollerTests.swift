import Glibc
import SharedMemoryLink
import Synchronization
import Testing
import Transport

/// Numbers noted by handlers.
private final class Notes: Sendable {
    private let numbers = Mutex<[Int]>([])
    var all: [Int] { numbers.withLock { $0 } }
    func add(_ number: Int) { numbers.withLock { $0.append(number) } }
}

@Suite("Poller")
struct PollerTests {
    private static let poller = Poller(named: "test-poller")
    private var poller: Poller { PollerTests.poller }

    @Test("deadlines pass in the order of their times, not of their making, and not too early")
    func order() async {
        let notes = Notes()
        var targets: [Int: Double] = [:]
        let early = Notes()
        for number in [4, 1, 3, 0, 2] {
            let seconds = 0.02 * Double(number + 1)
            let target = monotonicSeconds() + seconds
            targets[number] = target  // the machine may be busy between one and the next
            poller.after(seconds: seconds) {
                notes.add(number)
                if monotonicSeconds() < target { early.add(number) }
            }
        }
        #expect(await eventually { notes.all.count == 5 })
        #expect(notes.all == targets.sorted { $0.value < $1.value }.map(\.key) && early.all.isEmpty)
    }

    @Test("a deadline that is set by a handler passes before later ones that were set earlier")
    func nested() async {
        let notes = Notes()
        poller.after(seconds: 3600) { notes.add(3600) }
        poller.perform { [poller] in
            poller.after(seconds: 0.02) { notes.add(2) }
            poller.after(seconds: 0.01) {
                notes.add(1)
                poller.perform { poller.after(seconds: 0.02) { notes.add(3) } }
            }
        }
        #expect(await eventually { notes.all.count == 3 })
        #expect(notes.all == [1, 2, 3])
    }

    @Test("what is to be performed runs in the order it was asked for")
    func performs() async {
        let notes = Notes()
        for number in 0..<1000 { poller.perform { notes.add(number) } }
        #expect(await eventually { notes.all.count == 1000 })
        #expect(notes.all == Array(0..<1000))
    }

    @Test("a cancelled deadline does not pass")
    func cancels() async {
        let notes = Notes()
        let token = poller.after(seconds: 0.01) { notes.add(1) }
        poller.cancel(token)
        poller.after(seconds: 0.05) { notes.add(2) }
        #expect(await eventually { !notes.all.isEmpty })
        #expect(notes.all == [2])
    }

    @Test("a watched descriptor is told of until it is removed")
    func watches() async throws {
        let pipe = try DescriptorPair.pipe()
        let writing = Descriptor(owning: pipe.far.duplicate())
        let reading = pipe.takeNear()
        let notes = Notes()
        let number = reading.number
        let token = try poller.watch(number, for: .readable) { readiness in
            var byte: UInt8 = 0
            guard readiness.contains(.readable), unsafe read(number, &byte, 1) == 1 else { return }
            notes.add(Int(byte))
        }
        #expect(unsafe write(writing.number, [5, 6] as [UInt8], 2) == 2)
        #expect(await eventually { notes.all == [5, 6] })
        poller.remove(token, number)
        #expect(unsafe write(writing.number, [7] as [UInt8], 1) == 1)
        poller.after(seconds: 0.02) { notes.add(100) }
        #expect(await eventually { notes.all.last == 100 })
        #expect(notes.all == [5, 6, 100])
        _ = consume reading
    }

    @Test("what can't be watched is an error")
    func refuses() {
        let error = #expect(throws: SystemError.self) { try poller.watch(-1, for: .readable) { _ in } }
        #expect(error?.errno == EBADF)
    }
}
