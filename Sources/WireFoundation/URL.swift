public import FoundationEssentials
public import Wire

extension URL: WireEncodable, WireDecodable {
    /// Appends the text of the URL as it was given, then that of its base, if it has one.
    public func write(to output: inout WireWriter) {
        output.write(relativeString, baseURL?.absoluteString)
    }

    /// Reads a URL.
    ///
    /// - Throws: ``WireError/Code/invalidValue`` if the text is no URL.
    public init(from input: inout WireReader) throws(WireError) {
        let start = input.offset
        let (text, baseText): (String, String?) = try input.read()
        var base: URL?
        if let baseText {
            guard let url = URL(string: baseText) else {
                throw WireError(code: .invalidValue, offset: start, detail: "no URL: \(baseText)")
            }
            base = url
        }
        guard let url = URL(string: text, relativeTo: base) else {
            throw WireError(code: .invalidValue, offset: start, detail: "no URL: \(text)")
        }
        self = url
    }
}
