/// Checks that a text is well-formed XML of the kind that hwloc writes: tags that nest, attributes in double quotes, and
/// objects with all of their CPU sets.
///
/// hwloc 2.9 crashes on some files that are not (a quote lost while editing is enough), and names no line for others.
struct XMLScanner {
    /// The first place where the text is not well-formed.
    struct Failure: Error {
        let line: Int
        let problem: String
    }

    private let text: [UInt8]
    private var offset = 0
    private var open: [ArraySlice<UInt8>] = []

    /// - Throws: ``Failure`` at the first place that is not well-formed.
    static func check(_ text: [UInt8]) throws(Failure) {
        var scanner = XMLScanner(text: text)
        while try scanner.scanTag() {}
        if let name = scanner.open.last {
            throw scanner.failure("<\(String(decoding: name, as: UTF8.self))> is not closed")
        }
    }

    private init(text: [UInt8]) { self.text = text }

    /// Reads on to the end of the next tag; false if there is none.
    private mutating func scanTag() throws(Failure) -> Bool {
        guard let start = text[offset...].firstIndex(of: UInt8(ascii: "<")) else {
            offset = text.count
            return false
        }
        offset = start + 1
        if skip("!--") {
            try skip(past: "-->")
        } else if skip("?") {
            try skip(past: "?>")
        } else if skip("!") {
            try skip(past: ">")
        } else if skip("/") {
            let name = try scanName()
            skipSpace()
            guard skip(">") else { throw failure("a closing tag has no end") }
            guard let last = open.popLast(), last == name else {
                throw failure("</\(String(decoding: name, as: UTF8.self))> closes another tag")
            }
        } else {
            let name = try scanName()
            let attributes = try scanAttributes()
            if name.elementsEqual("object".utf8), attributes.contains("cpuset"), !attributes.contains("complete_cpuset")
            {
                throw failure("an object has no complete_cpuset")
            }
            if skip("/>") { return true }
            guard skip(">") else { throw failure("an attribute is malformed") }
            open.append(name)
        }
        return true
    }

    /// Reads attributes as far as there are any, and returns their names.
    private mutating func scanAttributes() throws(Failure) -> [String] {
        var names: [String] = []
        while skipSpace(), let next = peek, next != UInt8(ascii: ">"), next != UInt8(ascii: "/") {
            names.append(String(decoding: try scanName(), as: UTF8.self))
            guard skip("=\"") else { throw failure("an attribute is malformed") }
            while let next = peek, next != UInt8(ascii: "\""), next != UInt8(ascii: "<") { offset += 1 }
            guard skip("\"") else { throw failure("an attribute has no closing quote") }
        }
        return names
    }

    private mutating func scanName() throws(Failure) -> ArraySlice<UInt8> {
        let start = offset
        while let next = peek, Self.isNamePart(next) { offset += 1 }
        guard offset > start else { throw failure("a name is missing") }
        return text[start..<offset]
    }

    private static func isNamePart(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: ":"), 0x80...:
            true
        default: false
        }
    }

    private var peek: UInt8? { offset < text.count ? text[offset] : nil }

    private mutating func skip(_ piece: String) -> Bool {
        let isThere = text[offset...].starts(with: piece.utf8)
        if isThere { offset += piece.utf8.count }
        return isThere
    }

    private mutating func skip(past piece: String) throws(Failure) {
        while !skip(piece) {
            guard offset < text.count else { throw failure("\(piece) is missing") }
            offset += 1
        }
    }

    /// Skips white space; false if there was none.
    @discardableResult
    private mutating func skipSpace() -> Bool {
        let start = offset
        while let next = peek, next == 0x20 || (0x09...0x0d).contains(next) { offset += 1 }
        return offset > start
    }

    private func failure(_ problem: String) -> Failure {
        Failure(line: 1 + text[..<offset].count { $0 == UInt8(ascii: "\n") }, problem: problem)
    }
}
