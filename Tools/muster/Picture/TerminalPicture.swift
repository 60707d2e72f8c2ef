import Muster

/// A machine drawn with the characters of a terminal, and the workers of a plan on it.
struct TerminalPicture {
    /// Cores up to which each may have a box of its own.
    private static let roomyCoreCount = 16
    /// Lines that such a picture may have: about a screen.
    private static let roomyHeight = 24

    /// The lines, joined.
    let text: String

    init(_ topology: Topology, plan: PlacementPlan?, screen: Screen) {
        let summary = MachineSummary(topology, plan: plan)
        let drawing =
            Self.roomy(topology, plan: plan, screen: screen)
            ?? Drawing(topology, plan: plan, isRoomy: false, width: screen.width)
        var lines: [(text: String, style: Canvas.Style)] = []
        for (index, text) in ([summary.title] + summary.details).enumerated() {
            lines += wrapped(text, width: screen.width, indent: 2).map { ($0, index == 0 ? .bold : .plain) }
        }
        let top = lines.count
        let legend = drawing.legend(topology, width: screen.width)
        var canvas = Canvas(
            width: max(screen.width, drawing.placed.size.width),
            height: top + drawing.placed.size.height + legend.count)
        for (y, line) in lines.enumerated() { canvas.write(line.text, x: 0, y: y, line.style) }
        drawing.draw(drawing.placed, x: 0, y: top, on: &canvas)
        for (index, line) in legend.enumerated() {
            canvas.write(line, x: 0, y: top + drawing.placed.size.height + index)
        }
        text = canvas.lines(for: screen).joined(separator: "\n")
    }

    /// The machine with a box for each core, if it is small enough.
    private static func roomy(_ topology: Topology, plan: PlacementPlan?, screen: Screen) -> Drawing? {
        guard topology.cores.count <= roomyCoreCount else { return nil }
        let drawing = Drawing(topology, plan: plan, isRoomy: true, width: screen.width)
        let size = drawing.placed.size
        return size.height <= roomyHeight && size.width <= screen.width ? drawing : nil
    }
}

/// A machine with a place for everything in columns and lines.
private struct Drawing {
    let placed: PlacedPart
    private let cells: PictureCells
    private let isRoomy: Bool
    private let cellWidth: Int

    /// - Parameter isRoomy: Whether every core has a box of its own; otherwise it is a column of CPUs.
    init(_ topology: Topology, plan: PlacementPlan?, isRoomy: Bool, width: Int) {
        let cells = PictureCells(topology, plan: plan, isNumbered: isRoomy, prefix: isRoomy ? "w" : "")
        let cpus = topology.cpusByCore
        let cellWidth = topology.pus.lazy.flatMap { cells.lines($0.osIndex) }.map(\.count).max() ?? 1
        let machine = MachinePart(topology, cells: cells, isRoomy: isRoomy)
        let metrics = PictureMetrics(
            textWidth: { $0.unicodeScalars.count }, lineHeight: 1, numbersHaveLine: false,
            border: PictureInsets(left: 2, right: 2, top: 1, bottom: 1), slim: PictureInsets(),
            gap: PictureSize(width: 1, height: -1), kindGap: 0, slimGap: PictureSize(width: 3, height: 0),
            cell: PictureSize(width: cellWidth, height: cells.isNumbered ? 2 : 1),
            cellGap: PictureSize(width: isRoomy ? 2 : 1, height: 0),
            core: isRoomy ? PictureInsets(left: 2, right: 2, top: 1, bottom: 1) : PictureInsets(),
            coreWidth: isRoomy ? topology.cores.lazy.map { "Core \($0.osIndex)".count }.max() ?? 0 : 0,
            coreGap: isRoomy
                ? PictureSize(width: -1, height: -1)
                : PictureSize(width: 1, height: cpus.allSatisfy { $0.count == 1 } ? 0 : 1),
            cellColumns: { isRoomy ? min($0, 4) : 1 },
            coreTitle: { isRoomy ? "Core \(topology.cores[$0].osIndex)" : nil },
            device: PictureInsets(), deviceGap: PictureSize(), deviceTop: 1, deviceIndent: "  ",
            devicesFlow: false)
        placed = PictureLayout(metrics: metrics, cpus: cpus).place(machine, within: width)
        self.cells = cells
        self.isRoomy = isRoomy
        self.cellWidth = cellWidth
    }

    func draw(_ placed: PlacedPart, x: Int, y: Int, on canvas: inout Canvas) {
        let part = placed.part
        let isPackage = part.kind == .package
        if part.hasBorder {
            let frame = PictureRect(x: x, y: y, width: placed.size.width, height: placed.size.height)
            canvas.frame(frame, isHeavy: isPackage)
        }
        for (index, label) in placed.labels.enumerated() {
            // The first line stands in the border, with a space on both sides.
            let isTitle = index == 0 && part.hasBorder
            canvas.write(
                isTitle ? " \(label.text) " : label.text, x: x + label.x - (isTitle ? 1 : 0), y: y + label.y,
                isTitle && isPackage ? .bold : .plain)
        }
        for core in placed.cores { draw(core, x: x, y: y, on: &canvas) }
        for inner in placed.parts {
            // Slim parts have a line between them instead of a border.
            if inner.part.part.isSlim, inner.x > (placed.parts.map(\.x).min() ?? 0) {
                for line in 0..<inner.part.size.height {
                    canvas.write("│", x: x + inner.x - 2, y: y + inner.y + line, .dim)
                }
            }
            draw(inner.part, x: x + inner.x, y: y + inner.y, on: &canvas)
        }
        for device in placed.devices {
            for (line, text) in device.lines.enumerated() {
                canvas.write(text, x: x + device.frame.x, y: y + device.frame.y + line)
            }
        }
    }

    private func draw(_ core: PlacedPart.Core, x: Int, y: Int, on canvas: inout Canvas) {
        let (x, y) = (x + core.frame.x, y + core.frame.y)
        if isRoomy {
            let frame = PictureRect(x: x, y: y, width: core.frame.width, height: core.frame.height)
            canvas.frame(frame, isHeavy: false)
            if let title = core.title { canvas.write(" \(title) ", x: x + 1, y: y) }
        }
        for cell in core.cells {
            let lines = cells.lines(cell.cpu)
            let worker = cells.workers(on: cell.cpu).first
            for (line, text) in lines.enumerated() {
                let style: Canvas.Style =
                    if let worker, line == lines.count - 1 {
                        .worker(worker)
                    } else {
                        cells.isUsable(cell.cpu) ? .plain : .dim
                    }
                let padding = String(repeating: " ", count: cellWidth - text.count)
                canvas.write(padding + text, x: x + cell.frame.x, y: y + cell.frame.y + line, style)
            }
        }
    }

    /// What the marks mean, those that are there.
    func legend(_ topology: Topology, width: Int) -> [String] {
        let cpus = topology.pus.map(\.osIndex)
        let barred = cpus.first { !cells.isUsable($0) }
        var words: [String] = []
        if !isRoomy, topology.cpusByCore.contains(where: { $0.count > 1 }) {
            words.append("CPUs of a core stand one above the other.")
        }
        guard cells.hasWorkers else {
            if let barred { words.append("x\(barred): CPU \(barred), and all with an x, may not be used here.") }
            return PictureText.lines(of: words, separator: " ", width: width) { $0.count }
        }
        words.append(isRoomy ? "w1: worker 1, below its CPU." : "Numbers are workers.")
        if cpus.contains(where: { cells.workers(on: $0).count > 2 }) { words.append("1+2: worker 1 and two more.") }
        if cpus.contains(where: { cells.workers(on: $0).isEmpty && cells.isUsable($0) }) { words.append("· free.") }
        if barred != nil { words.append("x may not be used here.") }
        return PictureText.lines(of: words, separator: " ", width: width) { $0.count }
    }
}

extension Topology {
    /// The CPUs of each core, by OS index, in topological order.
    var cpusByCore: [[Int]] {
        var cpus: [[Int]] = Array(repeating: [], count: cores.count)
        for pu in pus { cpus[pu.core].append(pu.osIndex) }
        return cpus
    }
}
