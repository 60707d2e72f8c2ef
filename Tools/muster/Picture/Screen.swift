import ArgumentParser
import Glibc

/// When colours are used.
enum ColorChoice: String, ExpressibleByArgument, CaseIterable {
    case auto, always, never
}

/// What can be shown where standard output goes.
struct Screen: Hashable {
    /// Columns, within reason.
    var width = 80
    /// Whether colours may be used.
    var hasColor = false
    /// Whether there are other characters than those of ASCII.
    var hasUnicode = false

    /// A screen by its parts.
    init(width: Int = 80, hasColor: Bool = false, hasUnicode: Bool = false) {
        self.width = width
        self.hasColor = hasColor
        self.hasUnicode = hasUnicode
    }

    /// The screen that standard output is, or 80 columns without colour if it goes elsewhere.
    init(color: ColorChoice) {
        let isTerminal = isatty(STDOUT_FILENO) == 1
        if isTerminal {
            var size = winsize()
            let code = unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size)
            // Narrower than 40 no box is left; the lines of a wider one than 200 nobody follows.
            if code == 0, size.ws_col > 0 { width = min(max(Int(size.ws_col), 40), 200) }
        }
        hasColor =
            switch color {
            case .always: true
            case .never: false
            // no-color.org: set, and not to nothing.
            case .auto: isTerminal && Self.variable("NO_COLOR") == nil && Self.variable("TERM") ?? "dumb" != "dumb"
            }
        // The first that is set decides, as for every program (POSIX, 8.2).
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap(Self.variable).first ?? ""
        let encoding = locale.lowercased()
        hasUnicode = encoding.contains("utf-8") || encoding.contains("utf8")
    }

    /// The value of a variable of the environment that is set, and not to nothing.
    private static func variable(_ name: String) -> String? {
        // SAFETY: nobody changes the environment while commands run.
        guard let value = unsafe getenv(name) else { return nil }
        let text = unsafe String(cString: value)
        return text.isEmpty ? nil : text
    }
}
