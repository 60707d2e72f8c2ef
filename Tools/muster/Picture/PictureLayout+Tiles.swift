extension PictureLayout {
    /// Parts in rows of equal boxes, those of another kind below.
    func tiles(
        _ parts: [MachinePart], within room: Int
    ) -> (parts: [PlacedPart.Inner], size: PictureSize, isRagged: Bool) {
        var isRagged = false
        var placed: [PlacedPart.Inner] = []
        var size = PictureSize()
        var rest = parts[...]
        while let first = rest.first {
            let run = rest.prefix { $0.kind == first.kind && $0.isSlim == first.isSlim }
            rest = rest.dropFirst(run.count)
            let gap = first.isSlim || first.kind == .run ? metrics.slimGap : metrics.gap
            var best: (tiles: [PlacedPart], columns: Int, size: PictureSize)?
            for columns in 1...run.count where isEven(columns, of: run.count) {
                let width = (room - (columns - 1) * gap.width) / columns
                guard width > 0 else { break }
                let tiles = run.map { place($0, within: width) }
                // What does not fit here fits more columns even less.
                guard columns == 1 || tiles.allSatisfy({ $0.size.width <= width && !$0.isCramped }) else { break }
                let size = self.size(of: tiles, columns: columns, gap: gap)
                if let best, (best.size.height, best.size.width) <= (size.height, size.width) { continue }
                best = (tiles, columns, size)
            }
            guard let best else { continue }
            if !placed.isEmpty { size.height += metrics.kindGap }
            isRagged = isRagged || run.count % best.columns != 0
            let grid = self.grid(best.tiles, columns: best.columns, gap: gap)
            placed += grid.map { PlacedPart.Inner(x: $0.x, y: $0.y + size.height, part: $0.part) }
            size = PictureSize(width: max(size.width, best.size.width), height: size.height + best.size.height)
        }
        return (placed, size, isRagged)
    }

    /// Cores in rows of equal length.
    func tiles(_ cores: [Int], within room: Int) -> (cores: [PlacedPart.Core], size: PictureSize) {
        var placed = cores.map { place(core: $0) }
        let width = placed.map(\.frame.width).max() ?? 0
        let height = placed.map(\.frame.height).max() ?? 0
        let gap = metrics.coreGap
        let most = max(1, min(cores.count, (room + gap.width) / (width + gap.width)))
        let columns = evenColumns(atMost: most, of: cores.count)
        let rows = (cores.count + columns - 1) / columns
        for index in placed.indices {
            // CPUs stand in the middle of their core.
            let shift = (width - placed[index].frame.width + placed[index].slack) / 2
            for cell in placed[index].cells.indices { placed[index].cells[cell].frame.x += shift }
            placed[index].frame.x = index % columns * (width + gap.width)
            placed[index].frame.y = index / columns * (height + gap.height)
            placed[index].frame.width = width
            placed[index].frame.height = height
        }
        return (
            placed,
            PictureSize(
                width: columns * (width + gap.width) - gap.width, height: rows * (height + gap.height) - gap.height)
        )
    }

    private func place(core: Int) -> PlacedPart.Core {
        let (cell, gap, inset) = (metrics.cell, metrics.cellGap, metrics.core)
        let columns = max(metrics.cellColumns(cpus[core].count), 1)
        let rows = (cpus[core].count + columns - 1) / columns
        let title = metrics.coreTitle(core)
        let cells = cpus[core].enumerated().map { index, cpu in
            (
                cpu: cpu,
                frame: PictureRect(
                    x: inset.left + index % columns * (cell.width + gap.width),
                    y: inset.top + index / columns * (cell.height + gap.height), width: cell.width,
                    height: cell.height)
            )
        }
        let across = min(columns, max(cpus[core].count, 1))
        let content = across * (cell.width + gap.width) - gap.width
        let width = max(content, metrics.coreWidth)
        let height = rows * (cell.height + gap.height) - gap.height
        return PlacedPart.Core(
            core: core, title: title,
            frame: PictureRect(width: width + inset.left + inset.right, height: height + inset.top + inset.bottom),
            slack: width - content, cells: cells)
    }

    /// The length of rows that are as equal as can be: 3 and 2 rather than 4 and 1.
    private func evenColumns(atMost most: Int, of count: Int) -> Int {
        let rows = (count + most - 1) / most
        return (count + rows - 1) / rows
    }

    /// Whether rows of so many are as equal as can be: 3 and 2 rather than 4 and 1.
    private func isEven(_ columns: Int, of count: Int) -> Bool {
        evenColumns(atMost: columns, of: count) == columns
    }

    private func size(of tiles: [PlacedPart], columns: Int, gap: PictureSize) -> PictureSize {
        let width = tiles.map(\.size.width).max() ?? 0
        let rows = stride(from: 0, to: tiles.count, by: columns).map { start in
            tiles[start..<min(start + columns, tiles.count)].map(\.size.height).max() ?? 0
        }
        return PictureSize(
            width: columns * (width + gap.width) - gap.width,
            height: rows.reduce(0) { $0 + $1 + gap.height } - gap.height)
    }

    /// Tiles at their places, each as large as its row and the widest want it.
    private func grid(
        _ tiles: [PlacedPart], columns: Int, gap: PictureSize
    ) -> [PlacedPart.Inner] {
        let width = tiles.map(\.size.width).max() ?? 0
        var placed: [PlacedPart.Inner] = []
        var y = 0
        for start in stride(from: 0, to: tiles.count, by: columns) {
            let row = tiles[start..<min(start + columns, tiles.count)]
            let height = row.map(\.size.height).max() ?? 0
            for (column, tile) in row.enumerated() {
                var tile = tile
                tile.size = PictureSize(width: width, height: height)
                placed.append(PlacedPart.Inner(x: column * (width + gap.width), y: y, part: tile))
            }
            y += height + gap.height
        }
        return placed
    }
}
