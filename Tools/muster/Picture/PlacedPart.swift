/// A part with a place for all that is in it, relative to its own.
struct PlacedPart {
    /// A text and the top left of its line.
    struct Text {
        var text: String
        var x: Int
        var y: Int
    }
    /// A core and its CPUs, by OS index.
    struct Core {
        var core: Int
        var title: String?
        var frame: PictureRect
        /// Width that is left beside its CPUs.
        var slack: Int
        var cells: [(cpu: Int, frame: PictureRect)]
    }
    /// A part in it.
    struct Inner {
        var x: Int
        var y: Int
        var part: PlacedPart
    }
    /// A device, or several alike.
    struct Device {
        var frame: PictureRect
        var lines: [String]
    }

    var part: MachinePart
    var size: PictureSize
    /// Whether a text in it had to be cut where it hurts.
    var isCramped = false
    /// Whether the model of a device had to be cut.
    var isCut = false
    /// Whether a row in it is shorter than the others.
    var isRagged = false
    var labels: [Text] = []
    var cores: [Core] = []
    var parts: [Inner] = []
    var devices: [Device] = []
}
