/// How far a map has come, and how that is shown in one line.
struct Progress: Hashable {
    /// Commands in all.
    let total: Int
    /// Commands that have ended.
    private(set) var done = 0
    /// Those of them that failed.
    private(set) var failed = 0

    init(total: Int) {
        self.total = total
    }

    /// Takes note of the end of a command.
    mutating func ended(successfully: Bool) {
        done += 1
        if !successfully { failed += 1 }
    }

    /// The line after `elapsed` seconds, at most `width` columns: counts, a bar in the room that is left, rate and
    /// the time that the rest will take.
    func line(width: Int, elapsed: Double) -> String {
        let share = total == 0 ? 1 : Double(done) / Double(total)
        var left = "\(done)/\(total)"
        if failed > 0 { left += ", \(failed) failed" }
        var right = "\(Int(share * 100))%"
        if done > 0, elapsed > 0 {
            let rate = Double(done) / elapsed
            right += "  \(Self.rate(rate))  \(Self.time(Double(total - done) / rate)) left"
        }
        let room = width - left.count - right.count - 6
        guard room >= 8 else { return String("\(left)  \(right)".prefix(max(width, 0))) }
        let full = min(Int((share * Double(room)).rounded(.down)), room)
        let bar = String(repeating: "#", count: full) + String(repeating: "-", count: room - full)
        return "\(left)  [\(bar)]  \(right)"
    }

    /// Commands per second, or per minute where that is below one.
    static func rate(_ perSecond: Double) -> String {
        let (value, unit) = perSecond >= 1 ? (perSecond, "s") : (perSecond * 60, "min")
        let tenths = (min(value, 1e9) * 10).rounded()
        return tenths >= 1000 ? "\(Int(tenths / 10))/\(unit)" : "\(Int(tenths) / 10).\(Int(tenths) % 10)/\(unit)"
    }

    /// A time such as `0:07`, `12:30` or `3:05:00`.
    static func time(_ seconds: Double) -> String {
        let whole = Int(min(max(seconds, 0), 1e9).rounded(.up))
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let (hours, minutes) = (whole / 3600, whole / 60 % 60)
        return hours > 0 ? "\(hours):\(two(minutes)):\(two(whole % 60))" : "\(minutes):\(two(whole % 60))"
    }
}
