import Muster

/// A machine as a drawing that stands by itself (SVG 1.1), and the workers of a plan on it.
///
/// For a page: at most 960 units wide, quiet colours, no scripts and no fonts of its own. The output depends on the
/// machine and the plan alone.
struct SVGPicture {
    private static let margin = 16
    private static let largestWidth = 960
    /// Cores up to which each has its number, and a CPU's stands above its worker.
    private static let roomyCoreCount = 32

    private let cells: PictureCells
    private var svg = SVGWriter()

    /// The document.
    static func document(of topology: Topology, plan: PlacementPlan?) -> String {
        let isRoomy = topology.cores.count <= roomyCoreCount
        let cells = PictureCells(topology, plan: plan, isNumbered: isRoomy, prefix: "")
        let machine = MachinePart(topology, cells: cells, isRoomy: isRoomy)
        let layout = PictureLayout(
            metrics: .drawing(topology, cells: cells, isRoomy: isRoomy), cpus: topology.cpusByCore)
        let placed = place(machine, layout)
        let legend = SVGLegend(topology, cells: cells)
        let width = max(placed.size.width, legend.width, 480)

        var picture = SVGPicture(cells: cells)
        var y = margin
        let summary = MachineSummary(topology, plan: plan)
        // Letters of a title are wider than those of a label.
        for line in wrapped(summary.title, width: width / 8, indent: 0) {
            y += 16
            picture.svg.text(line, x: margin, y: y, class: "title")
        }
        for detail in summary.details {
            for line in wrapped(detail, width: width / 7, indent: 2) {
                y += 15
                picture.svg.text(line, x: margin, y: y, class: "note")
            }
        }
        y += 12
        picture.draw(placed, x: margin, y: y)
        y += placed.size.height + 12
        legend.draw(x: margin, y: y, on: &picture.svg)
        y += legend.height
        return picture.svg.document(width: width + 2 * margin, height: y + margin, title: summary.title)
    }

    /// The layout whose shape is nearest to that of a figure in a page, among those that fit its width.
    private static func place(_ machine: MachinePart, _ layout: PictureLayout) -> PlacedPart {
        func penalty(_ placed: PlacedPart) -> Double {
            let shape = Double(max(placed.size.width, 1)) / Double(max(placed.size.height, 1)) / 1.6
            let excess = max(placed.size.width - largestWidth + 2 * margin, 0)
            let flaws = (placed.isCramped ? 10 : 0) + (placed.isCut ? 0.4 : 0) + (placed.isRagged ? 0.2 : 0)
            return max(shape, 1 / shape) + Double(excess) + flaws
        }
        let widths = stride(from: 320, through: largestWidth - 2 * margin, by: 32)
        let all = widths.map { layout.place(machine, within: $0) }.map { (placed: $0, penalty: penalty($0)) }
        // There is a first one.
        return all.dropFirst().reduce(all[0]) { $1.penalty < $0.penalty ? $1 : $0 }.placed
    }

    private mutating func draw(_ placed: PlacedPart, x: Int, y: Int) {
        let part = placed.part
        if part.hasBorder || part.isSlim {
            let frame = PictureRect(x: x, y: y, width: placed.size.width, height: placed.size.height)
            svg.rect(frame, class: part.isSlim ? "slim" : "\(part.kind)", radius: part.isSlim ? 3 : 5)
        }
        for label in placed.labels {
            let isTitle = part.kind == .package && label.y == 0
            let rise = part.hasBorder ? 15 : 10
            svg.text(label.text, x: x + label.x, y: y + label.y + rise, class: isTitle ? "name" : "label")
        }
        for core in placed.cores { draw(core, x: x, y: y) }
        for inner in placed.parts { draw(inner.part, x: x + inner.x, y: y + inner.y) }
        for device in placed.devices {
            var frame = device.frame
            frame.x += x
            frame.y += y
            svg.rect(frame, class: "device", radius: 3)
            for (line, text) in device.lines.enumerated() {
                svg.text(text, x: frame.x + 6, y: frame.y + 13 + 14 * line, class: "label")
            }
        }
    }

    private mutating func draw(_ core: PlacedPart.Core, x: Int, y: Int) {
        var frame = core.frame
        frame.x += x
        frame.y += y
        // A core of one CPU needs no box around it.
        if frame.width > (core.cells.first?.frame.width ?? 0) { svg.rect(frame, class: "core", radius: 3) }
        if let title = core.title { svg.text(title, x: frame.x + frame.width / 2, y: frame.y + 12, class: "small mid") }
        for cell in core.cells {
            var place = cell.frame
            place.x += frame.x
            place.y += frame.y
            draw(cell.cpu, at: place)
        }
    }

    /// A CPU: an element of its own that says which one it is and who is on it.
    private mutating func draw(_ cpu: Int, at place: PictureRect) {
        let workers = cells.workers(on: cpu)
        let state = cells.isUsable(cpu) ? "free" : "barred"
        svg.openCPU(cpu, workers: workers, isUsable: cells.isUsable(cpu))
        let shown = workers.prefix(3)
        // Workers that share a CPU share its box.
        for (index, worker) in shown.enumerated() {
            var slice = place
            slice.x += place.width * index / shown.count
            slice.width = place.x + place.width * (index + 1) / shown.count - slice.x
            svg.fill(slice, color: PictureCells.color(of: worker).drawing)
        }
        svg.rect(place, class: workers.isEmpty ? state : "taken", radius: shown.count > 1 ? 0 : 2)
        let middle = place.x + place.width / 2
        let center = place.y + place.height / 2
        if workers.isEmpty {
            let style = !cells.isUsable(cpu) ? "off mid" : cells.hasWorkers ? "small mid" : "mid"
            svg.text("\(cpu)", x: middle, y: center + 4, class: style)
        } else {
            if cells.isNumbered { svg.text("\(cpu)", x: middle, y: place.y + 11, class: "number mid") }
            svg.text(cells.mark(cpu), x: middle, y: center + (cells.isNumbered ? 10 : 4), class: "worker mid")
        }
        svg.closeGroup()
    }
}

extension PictureMetrics {
    /// Those of a drawing, in units of which a label is 11 high.
    fileprivate static func drawing(_ topology: Topology, cells: PictureCells, isRoomy: Bool) -> PictureMetrics {
        let widest = topology.pus.lazy.flatMap { cells.lines($0.osIndex) }.map(SVGWriter.width).max() ?? 0
        let isThreaded = topology.pus.count > topology.cores.count
        return PictureMetrics(
            textWidth: SVGWriter.width, lineHeight: 14, numbersHaveLine: true,
            border: PictureInsets(left: 8, right: 8, top: 21, bottom: 8),
            slim: PictureInsets(left: 3, right: 3, top: 3, bottom: 3),
            gap: PictureSize(width: 8, height: 8), kindGap: 8, slimGap: PictureSize(width: 6, height: 6),
            cell: PictureSize(width: max(widest + 8, 22), height: cells.isNumbered ? 32 : 18),
            cellGap: PictureSize(width: 3, height: 3),
            core: isRoomy
                ? PictureInsets(left: 4, right: 4, top: 16, bottom: 4)
                : isThreaded ? PictureInsets(left: 2, right: 2, top: 2, bottom: 2) : PictureInsets(),
            // A core's title is smaller than a label.
            coreWidth: isRoomy
                ? topology.cores.lazy.map { SVGWriter.width(of: "Core \($0.osIndex)") * 9 / 11 + 1 }.max() ?? 0 : 0,
            coreGap: isRoomy ? PictureSize(width: 5, height: 5) : PictureSize(width: 3, height: 3),
            cellColumns: { isRoomy ? min($0, 4) : $0 > 4 ? 2 : 1 },
            coreTitle: { isRoomy ? "Core \(topology.cores[$0].osIndex)" : nil },
            device: PictureInsets(left: 6, right: 6, top: 2, bottom: 3), deviceGap: PictureSize(width: 6, height: 5),
            deviceTop: 8, deviceIndent: "", devicesFlow: true)
    }
}
