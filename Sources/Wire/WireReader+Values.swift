// One overload per number of values besides the one with a pack: Swift 6.3 leaves a loop over the pack at run time,
// which calls each initialiser through its witness table; measured on arrays, optionals and generic structs, that
// takes 3 to 30 times as long.
extension WireReader {
    /// Reads the next value, of the type that the place where it goes has.
    ///
    /// ```swift
    /// let count: Int = try input.read()
    /// ```
    ///
    /// - Throws: ``WireError``; ``WireError/Code/nestingLimit`` if values are nested deeper than the limit.
    @inlinable
    public mutating func read<A: WireDecodable>() throws(WireError) -> A {
        try enter()
        defer { leave() }
        return try take(A.self)
    }

    /// Reads the next 2 values in order.
    ///
    /// - Throws: ``WireError``, see ``read()``.
    @inlinable
    public mutating func read<A: WireDecodable, B: WireDecodable>() throws(WireError) -> (A, B) {
        try enter()
        defer { leave() }
        return try (take(A.self), take(B.self))
    }

    /// Reads the next 3 values in order.
    ///
    /// - Throws: ``WireError``, see ``read()``.
    @inlinable
    public mutating func read<A: WireDecodable, B: WireDecodable, C: WireDecodable>() throws(WireError) -> (A, B, C) {
        try enter()
        defer { leave() }
        return try (take(A.self), take(B.self), take(C.self))
    }

    /// Reads the next 4 values in order.
    ///
    /// - Throws: ``WireError``, see ``read()``.
    @inlinable
    public mutating func read<
        A: WireDecodable, B: WireDecodable, C: WireDecodable, D: WireDecodable
    >() throws(WireError) -> (A, B, C, D) {
        try enter()
        defer { leave() }
        return try (take(A.self), take(B.self), take(C.self), take(D.self))
    }

    /// Reads the next 5 values in order.
    ///
    /// - Throws: ``WireError``, see ``read()``.
    @inlinable
    public mutating func read<
        A: WireDecodable, B: WireDecodable, C: WireDecodable, D: WireDecodable, E: WireDecodable
    >() throws(WireError) -> (A, B, C, D, E) {
        try enter()
        defer { leave() }
        return try (
            take(A.self), take(B.self), take(C.self), take(D.self), take(E.self)
        )
    }

    /// Reads the next 6 values in order.
    ///
    /// - Throws: ``WireError``, see ``read()``.
    @inlinable
    public mutating func read<
        A: WireDecodable, B: WireDecodable, C: WireDecodable, D: WireDecodable, E: WireDecodable, F: WireDecodable
    >() throws(WireError) -> (A, B, C, D, E, F) {
        try enter()
        defer { leave() }
        return try (
            take(A.self), take(B.self), take(C.self), take(D.self), take(E.self),
            take(F.self)
        )
    }

    /// Reads the next 7 values in order.
    ///
    /// - Throws: ``WireError``, see ``read()``.
    @inlinable
    public mutating func read<
        A: WireDecodable, B: WireDecodable, C: WireDecodable, D: WireDecodable, E: WireDecodable,
        F: WireDecodable, G: WireDecodable
    >() throws(WireError) -> (A, B, C, D, E, F, G) {
        try enter()
        defer { leave() }
        return try (
            take(A.self), take(B.self), take(C.self), take(D.self), take(E.self),
            take(F.self), take(G.self)
        )
    }

    /// Reads the next 8 values in order.
    ///
    /// - Throws: ``WireError``, see ``read()``.
    @inlinable
    public mutating func read<
        A: WireDecodable, B: WireDecodable, C: WireDecodable, D: WireDecodable, E: WireDecodable,
        F: WireDecodable, G: WireDecodable, H: WireDecodable
    >() throws(WireError) -> (A, B, C, D, E, F, G, H) {
        try enter()
        defer { leave() }
        return try (
            take(A.self), take(B.self), take(C.self), take(D.self), take(E.self),
            take(F.self), take(G.self), take(H.self)
        )
    }

    /// Reads the next 9 values in order.
    ///
    /// - Throws: ``WireError``, see ``read()``.
    @inlinable
    public mutating func read<
        A: WireDecodable, B: WireDecodable, C: WireDecodable, D: WireDecodable, E: WireDecodable,
        F: WireDecodable, G: WireDecodable, H: WireDecodable, I: WireDecodable
    >() throws(WireError) -> (A, B, C, D, E, F, G, H, I) {
        try enter()
        defer { leave() }
        return try (
            take(A.self), take(B.self), take(C.self), take(D.self), take(E.self),
            take(F.self), take(G.self), take(H.self), take(I.self)
        )
    }

    /// Reads the next 10 values in order.
    ///
    /// - Throws: ``WireError``, see ``read()``.
    @inlinable
    public mutating func read<
        A: WireDecodable, B: WireDecodable, C: WireDecodable, D: WireDecodable, E: WireDecodable,
        F: WireDecodable, G: WireDecodable, H: WireDecodable, I: WireDecodable, J: WireDecodable
    >() throws(WireError) -> (A, B, C, D, E, F, G, H, I, J) {
        try enter()
        defer { leave() }
        return try (
            take(A.self), take(B.self), take(C.self), take(D.self), take(E.self),
            take(F.self), take(G.self), take(H.self), take(I.self), take(J.self)
        )
    }

    /// Reads the next values, as many as are asked for; slower than the overloads for up to ten.
    ///
    /// - Throws: ``WireError``, see ``read()``.
    @inlinable
    @_disfavoredOverload
    public mutating func read<each T: WireDecodable>() throws(WireError) -> (repeat each T) {
        try enter()
        defer { leave() }
        return (repeat try take((each T).self))
    }

    /// Reads a value without counting a level of nesting.
    @inlinable
    @inline(__always)
    internal mutating func take<T: WireDecodable>(_ type: T.Type) throws(WireError) -> T {
        guard let value = T.takeValue(from: &self) else { throw takeFailure() }
        return value
    }

    /// Counts a level of nesting; each call is matched by ``leave()``.
    @inlinable
    internal mutating func enter() throws(WireError) {
        guard remainingDepth > 0 else { throw tooDeep() }
        remainingDepth &-= 1
    }

    /// Ends a level of nesting.
    @inlinable
    internal mutating func leave() {
        remainingDepth &+= 1
    }

    /// The error for one more level than allowed.
    @usableFromInline
    @inline(never)
    internal mutating func tooDeep() -> WireError {
        error(.nestingLimit, "nested deeper than \(limits.nesting)")
    }
}
