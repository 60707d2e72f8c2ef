extension WireReader {
    /// Reads the next values, as many as are asked for.
    ///
    /// The types come from where the result goes:
    ///
    /// ```swift
    /// let count: Int = try input.read()
    /// (id, name, scores) = try input.read()
    /// ```
    ///
    /// - Throws: ``WireError``; ``WireError/Code/nestingLimit`` if values are nested deeper than the limit.
    @inlinable
    public mutating func read<each T: WireDecodable>() throws(WireError) -> (repeat each T) {
        try enter()
        defer { leave() }
        return (repeat try (each T)(from: &self))
    }

    /// Counts a level of nesting; each call is matched by ``leave()``.
    @inlinable
    internal mutating func enter() throws(WireError) {
        guard remainingDepth > 0 else { throw error(.nestingLimit, "nested deeper than \(limits.nesting)") }
        remainingDepth &-= 1
    }

    /// Ends a level of nesting.
    @inlinable
    internal mutating func leave() {
        remainingDepth &+= 1
    }
}
