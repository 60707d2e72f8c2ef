/// Finds a place for everything: boxes in boxes, as many side by side as keeps the picture low.
struct PictureLayout {
    /// Characters of a list of CPUs for which a box is made wide enough.
    private static let longestNumbers = 24

    let metrics: PictureMetrics
    /// CPUs of each core, by OS index, in topological order.
    let cpus: [[Int]]

    /// Places a part in at most `limit` columns, as far as its widest core leaves a choice.
    func place(_ part: MachinePart, within limit: Int) -> PlacedPart {
        let inset = insets(of: part)
        let room = max(limit - inset.left - inset.right, 1)
        var placed = PlacedPart(part: part, size: PictureSize())
        var content = PictureSize()
        if part.cores.isEmpty {
            (placed.parts, content, placed.isRagged) = tiles(part.parts, within: room)
            placed.isRagged = placed.isRagged || placed.parts.contains { $0.part.isRagged }
        } else {
            (placed.cores, content) = tiles(part.cores, within: room)
            placed.isRagged = placed.cores.count % placed.cores.count { $0.frame.y == 0 } != 0
        }
        let texts = labelLines(of: part, width: room).map(metrics.textWidth)
        let devices = self.devices(part.devices, x: 0, y: 0, width: room).devices.map(\.frame.width)
        let inner = max(content.width, texts.max() ?? 0, devices.max() ?? 0)
        placed.size = PictureSize(width: inner + inset.left + inset.right, height: content.height)
        finish(&placed, content: content)
        return placed
    }

    /// Places labels above and devices below what is in a part, for the width it has.
    private func finish(_ placed: inout PlacedPart, content: PictureSize) {
        let part = placed.part
        let inset = insets(of: part)
        let inner = placed.size.width - inset.left - inset.right
        let lines = labelLines(of: part, width: inner)
        // Of a long list of CPUs, the start has to do.
        let texts = part.labels + [part.cpuLabel].compactMap { $0 }.filter { $0.count <= Self.longestNumbers }
        placed.isCramped =
            texts.contains { metrics.textWidth($0) > inner } || placed.parts.contains { $0.part.isCramped }
        placed.labels = lines.enumerated().map { index, line in
            PlacedPart.Text(text: line, x: inset.left, y: index * metrics.lineHeight)
        }
        let top = inset.top + max(lines.count - 1, 0) * metrics.lineHeight
        for index in placed.parts.indices {
            placed.parts[index].x += inset.left
            placed.parts[index].y += top
        }
        for index in placed.cores.indices {
            placed.cores[index].frame.x += inset.left
            placed.cores[index].frame.y += top
        }
        var bottom = top + content.height
        if !part.devices.isEmpty {
            if content.height > 0 { bottom += metrics.deviceTop }
            let devices = devices(part.devices, x: inset.left, y: bottom, width: inner)
            (placed.devices, bottom) = (devices.devices, devices.bottom)
            placed.isCramped = placed.isCramped || devices.isCramped
            placed.isCut = devices.isCut
        }
        placed.isCut = placed.isCut || placed.parts.contains { $0.part.isCut }
        placed.size.height = bottom + inset.bottom
    }

    /// Devices in lines of `width`, and where they end.
    private func devices(
        _ shown: [ShownDevices], x left: Int, y top: Int, width: Int
    ) -> (devices: [PlacedPart.Device], bottom: Int, isCramped: Bool, isCut: Bool) {
        var devices: [PlacedPart.Device] = []
        var (x, y, height) = (0, top, 0)
        var (isCramped, isCut) = (false, false)
        let inset = metrics.device
        for device in shown {
            let (lines, isTight, hasCut) = device.lines(
                width: width - inset.left - inset.right, indent: metrics.deviceIndent, measure: metrics.textWidth)
            isCramped = isCramped || isTight
            isCut = isCut || hasCut
            let size = PictureSize(
                width: (lines.map(metrics.textWidth).max() ?? 0) + inset.left + inset.right,
                height: lines.count * metrics.lineHeight + inset.top + inset.bottom)
            if x > 0, !metrics.devicesFlow || x + size.width > width {
                (x, y, height) = (0, y + height + metrics.deviceGap.height, 0)
            }
            devices.append(
                PlacedPart.Device(
                    frame: PictureRect(x: left + x, y: y, width: size.width, height: size.height), lines: lines))
            x += size.width + metrics.deviceGap.width
            height = max(height, size.height)
        }
        for index in devices.indices where metrics.devicesFlow && devices[index].frame.width > width * 3 / 5 {
            devices[index].frame.width = width
        }
        return (devices, y + height, isCramped, isCut)
    }

    /// Labels in lines.
    private func labelLines(of part: MachinePart, width: Int) -> [String] {
        var groups = [part.labels]
        if let numbers = part.cpuLabel {
            groups = metrics.numbersHaveLine ? [part.labels, [numbers]] : [part.labels + [numbers]]
        }
        return groups.flatMap { pieces in
            PictureText.lines(
                of: pieces, separator: PictureText.separator, width: width, measure: metrics.textWidth)
        }
    }

    private func insets(of part: MachinePart) -> PictureInsets {
        if part.isSlim { return metrics.slim }
        if part.hasBorder { return metrics.border }
        return PictureInsets(top: part.labels.isEmpty ? 0 : metrics.lineHeight)
    }
}
