/// The line by which an agent that listens for its driver says at which port, on its standard output.
package enum ListeningLine {
    /// What stands before the number.
    package static let mark = "muster: listening for the driver at port "

    /// The port that a line tells; nil if it is another line.
    package static func port(in line: some StringProtocol) -> Int? {
        guard line.hasPrefix(mark), let port = Int(line.dropFirst(mark.count)), (1...65_535).contains(port) else {
            return nil
        }
        return port
    }
}
