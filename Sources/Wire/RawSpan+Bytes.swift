extension RawSpan {
    /// The bytes, as an array of their own.
    package func copyBytes() -> [UInt8] {
        unsafe withUnsafeBytes { unsafe [UInt8]($0) }
    }
}
