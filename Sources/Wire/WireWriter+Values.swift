// One overload per number of arguments: a parameter pack would need only one, but Swift 6.3 does not specialise a
// pack here, which makes writing 3 to 50 times slower. Reading has one, see `WireReader.read()`.
extension WireWriter {
    /// Appends a value.
    @inlinable
    public mutating func write<A: WireEncodable>(_ a: A) {
        a.write(to: &self)
    }

    /// Appends 2 values in order.
    @inlinable
    public mutating func write<A: WireEncodable, B: WireEncodable>(_ a: A, _ b: B) {
        a.write(to: &self)
        b.write(to: &self)
    }

    /// Appends 3 values in order.
    @inlinable
    public mutating func write<A: WireEncodable, B: WireEncodable, C: WireEncodable>(_ a: A, _ b: B, _ c: C) {
        a.write(to: &self)
        b.write(to: &self)
        c.write(to: &self)
    }

    /// Appends 4 values in order.
    @inlinable
    public mutating func write<
        A: WireEncodable, B: WireEncodable, C: WireEncodable, D: WireEncodable
    >(_ a: A, _ b: B, _ c: C, _ d: D) {
        a.write(to: &self)
        b.write(to: &self)
        c.write(to: &self)
        d.write(to: &self)
    }

    /// Appends 5 values in order.
    @inlinable
    public mutating func write<
        A: WireEncodable, B: WireEncodable, C: WireEncodable, D: WireEncodable, E: WireEncodable
    >(_ a: A, _ b: B, _ c: C, _ d: D, _ e: E) {
        a.write(to: &self)
        b.write(to: &self)
        c.write(to: &self)
        d.write(to: &self)
        e.write(to: &self)
    }

    /// Appends 6 values in order.
    @inlinable
    public mutating func write<
        A: WireEncodable, B: WireEncodable, C: WireEncodable, D: WireEncodable, E: WireEncodable, F: WireEncodable
    >(_ a: A, _ b: B, _ c: C, _ d: D, _ e: E, _ f: F) {
        a.write(to: &self)
        b.write(to: &self)
        c.write(to: &self)
        d.write(to: &self)
        e.write(to: &self)
        f.write(to: &self)
    }

    /// Appends 7 values in order.
    @inlinable
    public mutating func write<
        A: WireEncodable, B: WireEncodable, C: WireEncodable, D: WireEncodable, E: WireEncodable,
        F: WireEncodable, G: WireEncodable
    >(_ a: A, _ b: B, _ c: C, _ d: D, _ e: E, _ f: F, _ g: G) {
        a.write(to: &self)
        b.write(to: &self)
        c.write(to: &self)
        d.write(to: &self)
        e.write(to: &self)
        f.write(to: &self)
        g.write(to: &self)
    }

    /// Appends 8 values in order.
    @inlinable
    public mutating func write<
        A: WireEncodable, B: WireEncodable, C: WireEncodable, D: WireEncodable, E: WireEncodable,
        F: WireEncodable, G: WireEncodable, H: WireEncodable
    >(_ a: A, _ b: B, _ c: C, _ d: D, _ e: E, _ f: F, _ g: G, _ h: H) {
        a.write(to: &self)
        b.write(to: &self)
        c.write(to: &self)
        d.write(to: &self)
        e.write(to: &self)
        f.write(to: &self)
        g.write(to: &self)
        h.write(to: &self)
    }

    /// Appends 9 values in order.
    @inlinable
    public mutating func write<
        A: WireEncodable, B: WireEncodable, C: WireEncodable, D: WireEncodable, E: WireEncodable,
        F: WireEncodable, G: WireEncodable, H: WireEncodable, I: WireEncodable
    >(_ a: A, _ b: B, _ c: C, _ d: D, _ e: E, _ f: F, _ g: G, _ h: H, _ i: I) {
        a.write(to: &self)
        b.write(to: &self)
        c.write(to: &self)
        d.write(to: &self)
        e.write(to: &self)
        f.write(to: &self)
        g.write(to: &self)
        h.write(to: &self)
        i.write(to: &self)
    }

    /// Appends 10 values in order.
    @inlinable
    public mutating func write<
        A: WireEncodable, B: WireEncodable, C: WireEncodable, D: WireEncodable, E: WireEncodable,
        F: WireEncodable, G: WireEncodable, H: WireEncodable, I: WireEncodable, J: WireEncodable
    >(_ a: A, _ b: B, _ c: C, _ d: D, _ e: E, _ f: F, _ g: G, _ h: H, _ i: I, _ j: J) {
        a.write(to: &self)
        b.write(to: &self)
        c.write(to: &self)
        d.write(to: &self)
        e.write(to: &self)
        f.write(to: &self)
        g.write(to: &self)
        h.write(to: &self)
        i.write(to: &self)
        j.write(to: &self)
    }
}
