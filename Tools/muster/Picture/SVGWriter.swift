/// Writes the elements of a drawing, and escapes what they say.
struct SVGWriter {
    private var body = ""

    /// The space that a label takes in the widest of the fonts that may be there, so that it fits its box in all.
    static func width(of text: String) -> Int {
        let thousandths = text.unicodeScalars.reduce(0) { sum, scalar in
            let index = Int(scalar.value) - 32
            return sum + (advances.indices.contains(index) ? advances[index] : scalar == "·" ? 318 : 1000)
        }
        return (thousandths * 11 + 999) / 1000
    }

    /// Advance widths of DejaVu Sans in thousandths of its size, from the space on.
    private static let advances = [
        318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337,  // to /
        636, 636, 636, 636, 636, 636, 636, 636, 636, 636, 337, 337, 838, 838, 838, 531,  // to ?
        1000, 684, 686, 698, 770, 632, 575, 775, 752, 295, 295, 656, 557, 863, 748, 787,  // to O
        603, 787, 695, 635, 611, 732, 684, 989, 685, 611, 685, 390, 337, 390, 838, 500,  // to _
        500, 613, 635, 550, 635, 615, 352, 635, 634, 278, 278, 579, 278, 974, 634, 612,  // to o
        635, 635, 411, 521, 392, 634, 592, 818, 592, 592, 525, 636, 337, 636, 838,  // to ~
    ]

    mutating func rect(_ frame: PictureRect, class name: String, radius: Int) {
        body += "<rect class=\"\(name)\" \(Self.place(frame)) rx=\"\(radius)\"/>\n"
    }

    mutating func fill(_ frame: PictureRect, color: String) {
        body += "<rect style=\"fill:\(color)\" \(Self.place(frame))/>"
    }

    mutating func text(_ text: String, x: Int, y: Int, class name: String) {
        body += "<text class=\"\(name)\" x=\"\(x)\" y=\"\(y)\">\(Self.escaped(text))</text>\n"
    }

    /// Begins the group of a CPU.
    mutating func openCPU(_ cpu: Int, workers: [Int], isUsable: Bool) {
        // A list of thousands helps nobody who looks at a drawing.
        let list = workers.prefix(16).map(String.init).joined(separator: " ") + (workers.count > 16 ? " …" : "")
        let state = !workers.isEmpty ? " data-workers=\"\(list)\"" : isUsable ? "" : " data-usable=\"no\""
        body += "<g id=\"cpu\(cpu)\"\(state)>"
    }

    mutating func closeGroup() { body += "</g>\n" }

    /// The document with all that has been written.
    func document(width: Int, height: Int, title: String) -> String {
        """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(width) \(height)" width="\(width)" height="\(height)" \
        role="img">
        <title>\(Self.escaped(title))</title>
        <defs><pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">\
        <rect width="5" height="5" style="fill:#f4f5f6"/><rect width="1.5" height="5" style="fill:#ccd1d6"/></pattern></defs>
        <style>
        text { font: 11px Helvetica, Arial, "Liberation Sans", "DejaVu Sans", sans-serif; fill: #2b333b }
        .title { font-size: 13px; font-weight: bold }
        .note { fill: #55606b }
        .name { fill: #000 }
        .small { font-size: 9px; fill: #55606b }
        .number { font-size: 9px; fill: #222 }
        .worker { font-weight: bold; fill: #000 }
        .off { fill: #8a949e }
        .mid { text-anchor: middle }
        rect { fill: none; stroke: none }
        .package { fill: #f2f4f6; stroke: #7d8894; stroke-width: 1.5 }
        .numaNode { fill: #e6eef5; stroke: #9fb3c6 }
        .group { fill: #f6f3ee; stroke: #cdc3b1 }
        .cache { fill: #fff; stroke: #c2c9d0 }
        .slim { fill: #e9ecef; stroke: #b7bfc7; stroke-width: .7 }
        .beside { fill: #fff; stroke: #9aa4ae; stroke-dasharray: 4 3 }
        .core { fill: #e9ecef; stroke: #b7bfc7; stroke-width: .7 }
        .free { fill: #fff; stroke: #a5aeb7; stroke-width: .8 }
        .taken { stroke: #46505a; stroke-width: .8 }
        .barred { fill: url(#hatch); stroke: #c9ced3; stroke-width: .8 }
        .device { fill: #fdf8e8; stroke: #d9c999 }
        </style>
        <rect style="fill:#fff" width="\(width)" height="\(height)"/>
        \(body)</svg>
        """
    }

    private static func place(_ frame: PictureRect) -> String {
        "x=\"\(frame.x)\" y=\"\(frame.y)\" width=\"\(frame.width)\" height=\"\(frame.height)\""
    }

    /// Text as XML has it; what XML can't have was taken out where it came in.
    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in PictureText.printable(text).unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
