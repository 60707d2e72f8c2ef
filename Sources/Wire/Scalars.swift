#if !_pointerBitWidth(_64) || _endian(big)
    #error("Wire sends integers as they lie in memory, and needs a 64-bit little-endian machine")
#endif

extension Int: Plain {}
extension Int8: Plain {}
extension Int16: Plain {}
extension Int32: Plain {}
extension Int64: Plain {}
extension Int128: Plain {}
extension UInt: Plain {}
extension UInt8: Plain {}
extension UInt16: Plain {}
extension UInt32: Plain {}
extension UInt64: Plain {}
extension UInt128: Plain {}
extension Float: Plain {}
extension Double: Plain {}
#if !((os(macOS) || targetEnvironment(macCatalyst)) && arch(x86_64))
    extension Float16: Plain {}
#endif

extension Bool: WireEncodable, WireDecodable {
    /// Appends a byte: 0 or 1.
    @inlinable
    @inline(__always)
    public func write(to output: inout WireWriter) {
        output.append(plain: self ? 1 : 0 as UInt8)
    }

    /// Reads a byte.
    ///
    /// - Throws: ``WireError/Code/invalidBool`` unless it is 0 or 1.
    @inlinable
    public init(from input: inout WireReader) throws(WireError) {
        self = try input.take(Bool.self)
    }

    /// Reads a byte, see ``WireDecodable/takeValue(from:)``.
    @inlinable
    @inline(__always)
    public static func takeValue(from input: inout WireReader) -> Bool? {
        guard let byte = input.takePlain(UInt8.self) else { return nil }
        return byte <= 1 ? byte == 1 : input.fail(input.invalidByte(.invalidBool, byte))
    }
}

extension WireReader {
    /// The error for the byte that was just read.
    @usableFromInline
    @inline(never)
    internal mutating func invalidByte(_ code: WireError.Code, _ byte: UInt8) -> WireError {
        WireError(code: code, offset: position &- 1, detail: "byte \(byte)")
    }
}
