import Wire

// A closure is two words: the code and its context. A literal that captures nothing has no context when it is passed
// straight to a parameter and stored in a struct whose field has *exactly* the parameter's type; any other way in, the
// compiler may wrap it. Hence one struct for each form of parameter, and no function in common for them.

/// A struct that holds one closure and nothing else, so that it can be taken apart and put together again.
protocol Body {}

/// The two words of a closure.
struct ClosureWords {
    let code: UInt
    let context: UInt

    init<B: Body>(_ body: B) {
        precondition(MemoryLayout<B>.size == 2 * MemoryLayout<UInt>.size, "a body is one closure")
        // SAFETY: a struct with one closure has the closure's layout, two words; nothing is retained or called.
        (code, context) = unsafe unsafeBitCast(body, to: (UInt, UInt).self)
    }
}

extension Body {
    /// The body whose code lies at `code` and that captured nothing.
    init(code: UInt) {
        precondition(MemoryLayout<Self>.size == 2 * MemoryLayout<UInt>.size, "a body is one closure")
        // SAFETY: the driver took `code` from a body of this very type in a process of the same build, and saw that the
        // context was nil; a nil context needs no reference count.
        self = unsafe unsafeBitCast((code, UInt(0)), to: Self.self)
    }
}

struct ElementBody<Element, Output, each Capture>: Body {
    let function: @Sendable (Element, repeat each Capture) throws -> Output
    init(_ function: @escaping @Sendable (Element, repeat each Capture) throws -> Output) { self.function = function }
}

struct AsyncElementBody<Element, Output, each Capture>: Body {
    let function: @Sendable (Element, repeat each Capture) async throws -> Output
    init(_ function: @escaping @Sendable (Element, repeat each Capture) async throws -> Output) {
        self.function = function
    }
}

struct PairBody<First, Second, Output, each Capture>: Body {
    let function: @Sendable (First, Second, repeat each Capture) throws -> Output
    init(_ function: @escaping @Sendable (First, Second, repeat each Capture) throws -> Output) {
        self.function = function
    }
}

struct AsyncPairBody<First, Second, Output, each Capture>: Body {
    let function: @Sendable (First, Second, repeat each Capture) async throws -> Output
    init(_ function: @escaping @Sendable (First, Second, repeat each Capture) async throws -> Output) {
        self.function = function
    }
}

struct TripleBody<First, Second, Third, Output, each Capture>: Body {
    let function: @Sendable (First, Second, Third, repeat each Capture) throws -> Output
    init(_ function: @escaping @Sendable (First, Second, Third, repeat each Capture) throws -> Output) {
        self.function = function
    }
}

struct AsyncTripleBody<First, Second, Third, Output, each Capture>: Body {
    let function: @Sendable (First, Second, Third, repeat each Capture) async throws -> Output
    init(_ function: @escaping @Sendable (First, Second, Third, repeat each Capture) async throws -> Output) {
        self.function = function
    }
}

struct BatchBody<Element: Plain, Output: Plain, each Capture>: Body {
    let function: @Sendable (Span<Element>, inout MutableSpan<Output>, repeat each Capture) throws -> Void
    init(
        _ function: @escaping @Sendable (Span<Element>, inout MutableSpan<Output>, repeat each Capture) throws -> Void
    ) {
        self.function = function
    }
}

/// Without captures, a type of its own: inference of `inout` does not look through an empty pack.
struct SoleBatchBody<Element: Plain, Output: Plain>: Body {
    let function: @Sendable (Span<Element>, inout MutableSpan<Output>) throws -> Void
    init(_ function: @escaping @Sendable (Span<Element>, inout MutableSpan<Output>) throws -> Void) {
        self.function = function
    }
}

struct CallBody<Output, each Capture>: Body {
    let function: @Sendable (repeat each Capture) throws -> Output
    init(_ function: @escaping @Sendable (repeat each Capture) throws -> Output) { self.function = function }
}

struct AsyncCallBody<Output, each Capture>: Body {
    let function: @Sendable (repeat each Capture) async throws -> Output
    init(_ function: @escaping @Sendable (repeat each Capture) async throws -> Output) { self.function = function }
}

/// Without a result, a type of its own: a closure whose result is known to be nothing is another than one whose result may be anything.
struct ActionBody<each Capture>: Body {
    let function: @Sendable (repeat each Capture) throws -> Void
    init(_ function: @escaping @Sendable (repeat each Capture) throws -> Void) { self.function = function }
}

struct AsyncActionBody<each Capture>: Body {
    let function: @Sendable (repeat each Capture) async throws -> Void
    init(_ function: @escaping @Sendable (repeat each Capture) async throws -> Void) { self.function = function }
}
