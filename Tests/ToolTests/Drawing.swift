import Foundation
import FoundationXML
import Testing

@testable import MusterTool

/// What a drawing of `muster topology --svg` has in it, read as XML.
struct Drawing {
    /// A text, and the space that it takes at most.
    struct Text {
        let text: String
        let frame: CGRect
    }

    /// The size of the page.
    let size: CGSize
    /// The boxes on it.
    let boxes: [CGRect]
    /// The texts on it.
    let texts: [Text]
    /// The workers on each CPU.
    let cpus: [Int: [Int]]
    /// CPUs that may not be used.
    let barred: Set<Int>

    /// - Throws: If the run failed or wrote no well-formed XML.
    init(_ run: ToolRun) throws {
        #expect(run.status == 0 && run.errors.isEmpty)
        let reader = DrawingReader()
        let parser = XMLParser(data: Data(run.output.utf8))
        parser.delegate = reader
        try #require(parser.parse(), "line \(parser.lineNumber): \(String(describing: parser.parserError))")
        size = reader.size
        boxes = reader.boxes
        texts = reader.texts
        cpus = reader.cpus
        barred = reader.barred
    }
}

private final class DrawingReader: NSObject, XMLParserDelegate {
    var size = CGSize.zero
    var boxes: [CGRect] = []
    var texts: [Drawing.Text] = []
    var cpus: [Int: [Int]] = [:]
    var barred: Set<Int> = []
    private var isDefinition = false
    private var text: (content: String, origin: CGPoint, style: String)?

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String]
    ) {
        func number(_ key: String) -> Double { attributes[key].flatMap(Double.init) ?? 0 }
        switch name {
        case "svg": size = CGSize(width: number("width"), height: number("height"))
        case "defs": isDefinition = true
        case "rect" where !isDefinition && attributes["x"] != nil:
            boxes.append(CGRect(x: number("x"), y: number("y"), width: number("width"), height: number("height")))
        case "text": text = ("", CGPoint(x: number("x"), y: number("y")), attributes["class"] ?? "")
        case "g":
            guard let id = attributes["id"], let cpu = Int(id.dropFirst(3)) else { break }
            #expect(cpus[cpu] == nil, "CPU \(cpu) is there once")
            cpus[cpu] = (attributes["data-workers"] ?? "").split(separator: " ").compactMap { Int($0) }
            if attributes["data-usable"] == "no" { barred.insert(cpu) }
        default: break
        }
    }

    func parser(_ parser: XMLParser, foundCharacters characters: String) { text?.content += characters }

    func parser(_ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?) {
        if name == "defs" { isDefinition = false }
        guard name == "text", let text else { return }
        self.text = nil
        let styles = text.style.split(separator: " ")
        var scale = 1.0
        if styles.contains("small") || styles.contains("number") { scale = 9.0 / 11 }
        if styles.contains("worker") { scale = 1.12 }
        if styles.contains("title") { scale = 13.0 / 11 * 1.12 }
        let width = Double(SVGWriter.width(of: text.content)) * scale
        let x = styles.contains("mid") ? text.origin.x - width / 2 : text.origin.x
        // From the top of a capital to the line it stands on.
        texts.append(
            Drawing.Text(
                text: text.content,
                frame: CGRect(x: x, y: text.origin.y - 8 * scale, width: width, height: 8 * scale)))
    }
}
