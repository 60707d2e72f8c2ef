/// Rows of text in columns; the last column is broken into lines.
struct Table {
    /// The names of the columns.
    let header: [String]
    /// The cells, as many in each row as there are columns.
    let rows: [[String]]

    /// The lines of the table, `width` wide as long as the last column has some room.
    func lines(width: Int = 80) -> [String] {
        let columns = header.indices.dropLast()
        let widths = columns.map { column in ([header] + rows).lazy.map { $0[column].count }.max() ?? 0 }
        let indent = widths.reduce(0) { $0 + $1 + 2 }
        return ([header] + rows).flatMap { row in
            let start = columns.map { column in
                row[column] + String(repeating: " ", count: widths[column] - row[column].count + 2)
            }
            return wrapped(start.joined() + (row.last ?? ""), width: max(width, indent + 30), indent: indent)
        }
    }
}

/// Breaks text into lines of at most `width` characters, the second and later ones indented.
///
/// Breaks between words and, in lists of CPUs that need more than a line, after commas. What comes before column
/// `indent` stays as it is.
func wrapped(_ text: String, width: Int = 80, indent: Int) -> [String] {
    guard text.count > width else { return [text] }
    var lines: [String] = []
    var line = String(text.prefix(indent))
    var isStart = true
    func breakLine() {
        lines.append(line)
        line = String(repeating: " ", count: indent)
        isStart = true
    }
    for word in text.dropFirst(indent).split(separator: " ") {
        if word.count + indent <= width {
            if line.count + (isStart ? 0 : 1) + word.count > width { breakLine() }
            line += isStart ? word : " " + word
            isStart = false
            continue
        }
        if !isStart { line += " " }
        for piece in word.split(separator: ",", omittingEmptySubsequences: false) {
            if !isStart, line.count + piece.count + 1 > width { breakLine() }
            line += piece + ","
            isStart = false
        }
        line.removeLast()
    }
    return lines + [line]
}
