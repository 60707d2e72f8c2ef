/// Text for a picture: free of what a terminal or a drawing would take for more than text, and no longer than its place.
enum PictureText {
    /// What stands between two labels of a box.
    static let separator = " · "
    /// What stands for the end of a text that was cut off.
    static let ellipsis = "…"

    /// `text` with a `?` for everything but the characters of European languages that are one column wide.
    ///
    /// Names and models come from drivers and files: escape sequences, line ends, marks that turn the direction of
    /// writing and characters of two columns would tear the boxes apart, or do worse.
    static func cleaned(_ text: String) -> String {
        var clean = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x20...0x7e, 0xa1...0xac, 0xae...0x24f: clean.append(scalar)
            case 0x09, 0x0a, 0x0d, 0xa0: clean.append(" ")
            default: clean.append("?")
            }
        }
        return String(clean)
    }

    /// `text` without control characters, the last line of defence for what nobody cleaned.
    static func printable(_ text: String) -> String {
        var clean = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            let isControl = scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
            clean.append(isControl ? "?" : scalar)
        }
        return String(clean)
    }

    /// `text`, or as much of its start as fits with an ellipsis behind it.
    static func shortened(_ text: String, to width: Int, measure: (String) -> Int) -> String {
        guard measure(text) > width else { return text }
        var start = text
        while !start.isEmpty {
            start.removeLast()
            while start.last == " " { start.removeLast() }
            if measure(start + ellipsis) <= width { return start + ellipsis }
        }
        return ""
    }

    /// Pieces joined by `separator` into as few lines as hold them; a piece that is too long by itself is shortened.
    static func lines(
        of pieces: [String], separator: String, width: Int, measure: (String) -> Int
    ) -> [String] {
        var lines: [String] = []
        for piece in pieces {
            if let last = lines.last, measure(last + separator + piece) <= width {
                lines[lines.count - 1] = last + separator + piece
            } else {
                lines.append(shortened(piece, to: width, measure: measure))
            }
        }
        return lines
    }

    /// A number of things, such as `2 cores`.
    static func count(_ number: Int, _ thing: String) -> String { "\(number) \(thing)\(number == 1 ? "" : "s")" }

    /// A size in the largest unit that leaves at least one of it, to a tenth below ten.
    static func size(_ byteCount: UInt64) -> String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
        var unit = 0
        var value = Double(byteCount)
        while value >= 1024, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        let tenths = Int((value * 10).rounded())
        return tenths < 100 && tenths % 10 != 0
            ? "\(tenths / 10).\(tenths % 10) \(units[unit])" : "\((tenths + 5) / 10) \(units[unit])"
    }
}
