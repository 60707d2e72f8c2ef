/// A plain number that can be a SIMD vector's scalar.
///
/// The standard library's numbers are; there is no need for others to adopt it.
public protocol PlainScalar: Plain, SIMDScalar, Codable, Hashable
where
    SIMD2Storage: BitwiseCopyable, SIMD4Storage: BitwiseCopyable, SIMD8Storage: BitwiseCopyable,
    SIMD16Storage: BitwiseCopyable, SIMD32Storage: BitwiseCopyable, SIMD64Storage: BitwiseCopyable
{}

extension Int: PlainScalar {}
extension Int8: PlainScalar {}
extension Int16: PlainScalar {}
extension Int32: PlainScalar {}
extension Int64: PlainScalar {}
extension UInt: PlainScalar {}
extension UInt8: PlainScalar {}
extension UInt16: PlainScalar {}
extension UInt32: PlainScalar {}
extension UInt64: PlainScalar {}
extension Float: PlainScalar {}
extension Double: PlainScalar {}
#if !((os(macOS) || targetEnvironment(macCatalyst)) && arch(x86_64))
    extension Float16: PlainScalar {}
#endif

extension SIMD2: WireEncodable, WireDecodable, Plain where Scalar: PlainScalar {}
extension SIMD4: WireEncodable, WireDecodable, Plain where Scalar: PlainScalar {}
extension SIMD8: WireEncodable, WireDecodable, Plain where Scalar: PlainScalar {}
extension SIMD16: WireEncodable, WireDecodable, Plain where Scalar: PlainScalar {}
extension SIMD32: WireEncodable, WireDecodable, Plain where Scalar: PlainScalar {}
extension SIMD64: WireEncodable, WireDecodable, Plain where Scalar: PlainScalar {}

// `SIMD3` takes the room of a `SIMD4`, so it has a gap, and travels as its three scalars.
extension SIMD3: WireEncodable where Scalar: WireEncodable {
    /// Appends the three scalars.
    @inlinable
    public func write(to output: inout WireWriter) {
        output.write(x, y, z)
    }
}

extension SIMD3: WireDecodable where Scalar: WireDecodable {
    /// Reads three scalars.
    @inlinable
    public init(from input: inout WireReader) throws(WireError) {
        let (x, y, z): (Scalar, Scalar, Scalar) = try input.read()
        self.init(x, y, z)
    }
}
