/// A sheet of characters, each with a style, that becomes lines of text.
struct Canvas {
    /// How characters look, where colours can be shown.
    enum Style: Hashable {
        case plain, bold, dim
        /// On the colour of a worker.
        case worker(Int)
    }

    /// What stands at a place: a character, or the border lines that meet there.
    private struct Place {
        var character: Unicode.Scalar = " "
        var arms: BoxLines = []
        var style = Style.plain
    }

    private var places: [Place]
    private let width: Int
    private let height: Int

    init(width: Int, height: Int) {
        self.width = width
        self.height = height
        places = Array(repeating: Place(), count: width * height)
    }

    /// Writes text to the right of a place; what is beyond the sheet is lost.
    mutating func write(_ text: String, x: Int, y: Int, _ style: Style = .plain) {
        guard (0..<height).contains(y) else { return }
        for (offset, scalar) in text.unicodeScalars.enumerated() where (0..<width).contains(x + offset) {
            places[y * width + x + offset] = Place(character: scalar, style: style)
        }
    }

    /// Draws the border of a box; where it meets another one, the lines join.
    mutating func frame(_ rect: PictureRect, isHeavy: Bool) {
        let (right, bottom) = (rect.x + rect.width - 1, rect.y + rect.height - 1)
        guard rect.width > 1, rect.height > 1, rect.x >= 0, right < width, rect.y >= 0, bottom < height else { return }
        let weight: BoxLines = isHeavy ? .heavy : []
        for x in rect.x...right {
            let arms: BoxLines = x == rect.x ? .right : x == right ? .left : [.left, .right]
            join(arms.union(weight), x: x, y: rect.y)
            join(arms.union(weight), x: x, y: bottom)
        }
        for y in rect.y...bottom {
            let arms: BoxLines = y == rect.y ? .down : y == bottom ? .up : [.up, .down]
            join(arms.union(weight), x: rect.x, y: y)
            join(arms.union(weight), x: right, y: y)
        }
    }

    private mutating func join(_ arms: BoxLines, x: Int, y: Int) {
        let index = y * width + x
        // A label of the border stays.
        let isFree = places[index].style == .plain || !places[index].arms.isEmpty
        guard places[index].character == " ", isFree else { return }
        places[index].arms.formUnion(arms)
        places[index].style = .dim
    }

    /// The lines for a screen, without spaces at their ends.
    func lines(for screen: Screen) -> [String] {
        (0..<height).map { y in
            let row = y * width..<(y + 1) * width
            let isUsed = { (place: Place) in place.character != " " || place.style != .plain }
            let end = row.last { isUsed(places[$0]) }.map { $0 + 1 } ?? row.lowerBound
            var line = String.UnicodeScalarView()
            var style = Style.plain
            for place in places[row.lowerBound..<end] {
                if screen.hasColor, place.style != style {
                    style = place.style
                    line.append(contentsOf: Self.code(style).unicodeScalars)
                }
                let character = place.arms.isEmpty ? place.character : place.arms.character
                line.append(screen.hasUnicode ? character : Self.ascii(character))
            }
            if style != .plain { line.append(contentsOf: Self.code(.plain).unicodeScalars) }
            return String(line)
        }
    }

    /// The escape sequence that begins a style and ends others.
    private static func code(_ style: Style) -> String {
        switch style {
        case .plain: "\u{1b}[0m"
        case .bold: "\u{1b}[0;1m"
        case .dim: "\u{1b}[0;2m"
        case .worker(let worker): "\u{1b}[0;30;48;5;\(PictureCells.color(of: worker).terminal)m"
        }
    }

    /// What takes the place of a character where there is only ASCII.
    private static func ascii(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        switch scalar {
        case "─": "-"
        case "━": "="
        case "│", "┃": "|"
        case "\u{2500}"..."\u{257f}": "+"
        case "·": "."
        case "×": "x"
        case "…": "~"
        default: scalar.isASCII ? scalar : "?"
        }
    }
}

/// The lines that meet at a place of a border.
private struct BoxLines: OptionSet {
    let rawValue: Int

    static let up = BoxLines(rawValue: 1)
    static let down = BoxLines(rawValue: 2)
    static let left = BoxLines(rawValue: 4)
    static let right = BoxLines(rawValue: 8)
    /// Whether they are drawn thick.
    static let heavy = BoxLines(rawValue: 16)

    /// The character that shows them.
    var character: Unicode.Scalar { Self.characters[rawValue] }

    private static let characters = Array("   │ ┘┐┤ └┌├─┴┬┼   ┃ ┛┓┫ ┗┏┣━┻┳╋".unicodeScalars)
}
