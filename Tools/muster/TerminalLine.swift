import Glibc

/// A line at the bottom of the terminal that is drawn anew in place. It goes to standard error.
struct TerminalLine {
    /// Nanoseconds that a line stays at least; nobody reads faster.
    private static let shortest: Int64 = 100_000_000

    private var isShown = false
    private var drawn: Int64 = 0

    /// A line, if standard error is a terminal that can redraw one.
    init?() {
        guard isatty(STDERR_FILENO) == 1, let kind = unsafe getenv("TERM"), unsafe String(cString: kind) != "dumb"
        else { return nil }
    }

    /// Columns of the terminal; 80 if it doesn't say.
    static var width: Int {
        var size = winsize()
        let code = unsafe ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size)
        return code == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
    }

    /// Shows a line, unless another one has only just been shown and still is.
    ///
    /// - Parameter text: Makes the line for a number of columns.
    mutating func show(_ text: (_ width: Int) -> String) {
        let now = Self.now()
        guard !isShown || now - drawn >= Self.shortest else { return }
        // Room for the ^C that the terminal adds, which would otherwise go on to the next line, and the last column.
        FileOutput.standardError.write("\r\(text(Self.width - 3))\u{1b}[K")
        isShown = true
        drawn = now
    }

    /// Takes the line away, so that something else can be printed.
    mutating func clear() {
        guard isShown else { return }
        FileOutput.standardError.write("\r\u{1b}[K")
        isShown = false
    }

    private static func now() -> Int64 {
        var now = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &now)
        return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
    }
}
