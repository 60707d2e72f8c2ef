extension RawSpan {
    /// The bytes, as an array of their own.
    public func copyBytes() -> [UInt8] {
        unsafe withUnsafeBytes { unsafe [UInt8]($0) }
    }
}
