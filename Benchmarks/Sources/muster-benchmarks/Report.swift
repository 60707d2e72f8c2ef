/// What a benchmark found.
struct Report {
    let name: String
    let title: String
    let unit: Unit
    let series: [Series]

    init(_ benchmark: any Benchmark, _ series: [Series]) {
        name = benchmark.name
        title = benchmark.title
        unit = benchmark.unit
        self.series = series
    }

    /// How many times worse than its floor a series is: the median of the repeats, each held against the floor of the
    /// same round.
    func ratio(_ series: Series) -> Double? {
        guard let floor = self.series.first(where: { $0.key == series.floor }) else { return nil }
        return median(zip(series.values, floor.values).map { unit.isRate ? $1 / $0 : $0 / $1 })
    }

    /// A table, at most 100 columns wide.
    var lines: [String] {
        let hasFacts = series.contains { $0.facts != nil }
        let width = hasFacts ? 38 : 58
        let header = (["median", "min", "max", "× floor"] + (hasFacts ? ["bytes", "allocs"] : []))
            .map { right($0, 10) }.joined()
        let rows = series.map { series in
            let numbers = [median(series.values), series.values.min() ?? .nan, series.values.max() ?? .nan]
            let isFloor = self.series.contains { $0.floor == series.key }
            let ratio = isFloor ? "floor" : ratio(series).map { rounded($0) } ?? ""
            let facts = series.facts.map { [String($0.byteCount), rounded($0.allocations)] } ?? []
            return left(series.label, width)
                + (numbers.map { rounded($0) } + [ratio] + facts).map { right($0, 10) }.joined()
        }
        return [title, left("  [\(name), \(unit.rawValue)]", width) + header] + rows
    }
}

private func left(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
}

private func right(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
}

/// Three significant digits, without an exponent.
func rounded(_ value: Double) -> String {
    guard value.isFinite else { return "-" }
    var unit = 1.0
    var digits = 0
    while abs(value) * unit < 100, value != 0, digits < 6 {
        unit *= 10
        digits += 1
    }
    let whole = Int((abs(value) * unit).rounded())
    let sign = value < 0 && whole > 0 ? "-" : ""
    guard digits > 0 else { return sign + String(whole) }
    let fraction = String(whole % Int(unit))
    return "\(sign)\(whole / Int(unit)).\(String(repeating: "0", count: digits - fraction.count))\(fraction)"
}

/// Everything for programs. Keys are never renamed; new ones may be added.
func json(_ host: Host, _ reports: [Report]) -> String {
    func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
    func number(_ value: Double?) -> String { value.map { $0.isFinite ? "\($0)" : "null" } ?? "null" }
    let benchmarks = reports.map { report in
        let series = report.series.map { series in
            let values = series.values.map { number($0) }.joined(separator: ",")
            return """
                    {"key":\(quoted(series.key)),"label":\(quoted(series.label)),\
                "median":\(number(median(series.values))),"min":\(number(series.values.min())),\
                "max":\(number(series.values.max())),"floor":\(series.floor.map(quoted) ?? "null"),\
                "ratio":\(number(report.ratio(series))),"bytes":\(series.facts.map { "\($0.byteCount)" } ?? "null"),\
                "allocations":\(number(series.facts?.allocations)),"values":[\(values)]}
                """
        }
        return """
              {"name":\(quoted(report.name)),"title":\(quoted(report.title)),"unit":\(quoted(report.unit.rawValue)),\
            "series":[
            \(series.joined(separator: ",\n"))
              ]}
            """
    }
    return """
        {"machine":{"model":\(quoted(host.model)),"cpus":[\(host.cpus.map(String.init).joined(separator: ","))],\
        "kernel":\(quoted(host.kernel)),"load":\(number(host.load))},
        "benchmarks":[
        \(benchmarks.joined(separator: ",\n"))
        ]}
        """
}
