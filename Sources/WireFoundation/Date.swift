public import FoundationEssentials
public import Wire

extension Date: WireEncodable, WireDecodable {
    /// Appends the seconds since the first of January 2001, 8 bytes: exactly what a `Date` holds.
    public func write(to output: inout WireWriter) {
        output.write(timeIntervalSinceReferenceDate)
    }

    /// Reads seconds since the first of January 2001.
    ///
    /// - Throws: ``WireError/Code/invalidValue`` unless they are finite.
    public init(from input: inout WireReader) throws(WireError) {
        let seconds: Double = try input.read()
        guard seconds.isFinite else { throw input.invalid("date \(seconds)") }
        self.init(timeIntervalSinceReferenceDate: seconds)
    }
}
