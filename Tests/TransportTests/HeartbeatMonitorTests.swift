import Testing

@testable import Transport

@Suite("HeartbeatMonitor")
struct HeartbeatMonitorTests {
    @Test("a worker that is heard is never lost")
    func heard() {
        var monitor = HeartbeatMonitor(limit: 4, now: 100)
        for second in 1...1000 {
            let now = 100 + Double(second)
            #expect(monitor.look(now: now, heard: now - 3.9) == nil)
        }
    }

    @Test("a silent worker is lost once the limit has passed, not before")
    func silent() {
        var monitor = HeartbeatMonitor(limit: 4, now: 100)
        for second in 1...4 { #expect(monitor.look(now: 100 + Double(second), heard: 90) == nil) }
        #expect(monitor.look(now: 104.5, heard: 90) == 4.5)
    }

    @Test("a look that comes late proves nothing: the silence counts from there")
    func late() {
        var monitor = HeartbeatMonitor(limit: 4, now: 100)
        #expect(monitor.look(now: 101, heard: 100.5) == nil)
        #expect(monitor.look(now: 5000, heard: 100.5) == nil, "this process was stopped")
        for second in 1...4 { #expect(monitor.look(now: 5000 + Double(second), heard: 100.5) == nil) }
        #expect(monitor.look(now: 5004.5, heard: 100.5) != nil)
    }

    @Test("a look that is only a little late still counts")
    func littleLate() {
        var monitor = HeartbeatMonitor(limit: 4, now: 100)
        for now in [102.0, 104] { #expect(monitor.look(now: now, heard: 100) == nil) }
        #expect(monitor.look(now: 106, heard: 100) == 6)
    }
}
