/// Width and height, in columns and lines of a terminal or in units of a drawing.
struct PictureSize: Hashable {
    var width = 0
    var height = 0
}

/// A place and a size.
struct PictureRect: Hashable {
    var x = 0
    var y = 0
    var width = 0
    var height = 0
}

/// Space within a border, the border included.
struct PictureInsets: Hashable {
    var left = 0
    var right = 0
    var top = 0
    var bottom = 0
}

/// The measures by which a picture is laid out: a terminal's, or a drawing's.
struct PictureMetrics {
    /// The space a text takes.
    var textWidth: (String) -> Int
    /// Height of a line of text.
    var lineHeight: Int
    /// Whether the numbers of a part's CPUs have a line of their own, so that parts side by side look the same.
    var numbersHaveLine: Bool
    /// Space within the border of a part; `top` has room for a line of labels.
    var border: PictureInsets
    /// Space within a slim part.
    var slim: PictureInsets
    /// Space between parts that are alike; below zero if they share a border.
    var gap: PictureSize
    /// Space between rows of parts of one kind and of another.
    var kindGap: Int
    /// Space between slim parts.
    var slimGap: PictureSize
    /// Size of a CPU.
    var cell: PictureSize
    /// Space between the CPUs of a core.
    var cellGap: PictureSize
    /// Space within the border of a core.
    var core: PictureInsets
    /// Space within a core that its title needs, the same for all so that parts side by side look the same.
    var coreWidth: Int
    /// Space between cores.
    var coreGap: PictureSize
    /// CPUs of a core that stand side by side, by their number.
    var cellColumns: (Int) -> Int
    /// What a core is called, if it is.
    var coreTitle: (_ core: Int) -> String?
    /// Space within a line of devices.
    var device: PictureInsets
    /// Space between devices.
    var deviceGap: PictureSize
    /// Space above the devices of a part.
    var deviceTop: Int
    /// Space before the second line of a device.
    var deviceIndent: String
    /// Whether several devices may share a line.
    var devicesFlow: Bool
}
