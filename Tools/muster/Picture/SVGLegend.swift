import Muster

/// What the colours of a drawing mean.
struct SVGLegend {
    private var items: [(class: String, color: String?, sign: String, text: String)] = []
    /// Space it takes from left to right.
    private(set) var width = 0
    /// Space it takes from top to bottom.
    var height: Int { items.isEmpty ? 0 : 20 }

    init(_ topology: Topology, cells: PictureCells) {
        let cpus = topology.pus.map(\.osIndex)
        if let taken = cpus.first(where: { !cells.workers(on: $0).isEmpty }) {
            let worker = cells.workers(on: taken)[0]
            items.append(("taken", PictureCells.color(of: worker).drawing, "\(worker)", "CPU of worker \(worker)"))
        }
        if let free = cpus.first(where: { cells.workers(on: $0).isEmpty && cells.isUsable($0) }) {
            items.append(("free", nil, "\(free)", cells.hasWorkers ? "free CPU" : "CPU that may be used"))
        }
        if let barred = cpus.first(where: { !cells.isUsable($0) }) {
            items.append(("barred", nil, "\(barred)", "CPU that may not be used here"))
        }
        // A picture that is all of a kind explains itself.
        if !cells.hasWorkers, cpus.allSatisfy({ cells.isUsable($0) }) { items = [] }
        width = items.reduce(0) { $0 + 30 + SVGWriter.width(of: $1.text) + 18 }
    }

    func draw(x: Int, y: Int, on svg: inout SVGWriter) {
        var x = x
        for item in items {
            let frame = PictureRect(x: x, y: y, width: 24, height: 18)
            if let color = item.color { svg.fill(frame, color: color) }
            svg.rect(frame, class: item.class, radius: 2)
            svg.text(item.sign, x: x + 12, y: y + 13, class: item.color == nil ? "small mid" : "worker mid")
            svg.text(item.text, x: x + 30, y: y + 13, class: "note")
            x += 30 + SVGWriter.width(of: item.text) + 18
        }
    }
}
