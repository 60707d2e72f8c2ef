public import Wire

/// A body as a value: it can be stored, passed on, and given wherever a body can.
///
/// ```swift
/// let square = RemoteFunction { (x: Int) in x * x }
/// let squares = try await cluster.pmap(1...100, body: square)
/// ```
///
/// Swift tells a closure that captures nothing from one that does only where the literal is written; so a function that
/// wraps `pmap` takes a `RemoteFunction` and its caller writes the literal. A literal that captures is refused when the
/// value is used: the error names the place of the literal.
public struct RemoteFunction<Element: Sendable, Output: Sendable, each Capture>: Sendable
where repeat each Capture: WireEncodable & WireDecodable & Sendable {
    private let result: Result<FunctionReference, BodyError>

    /// Keeps a synchronous body. It takes an element and then the captures.
    public init(
        file: String = #fileID, line: Int = #line,
        _ body: @escaping @Sendable (Element, repeat each Capture) throws -> Output
    ) {
        let words = ClosureWords(ElementBody<Element, Output, repeat each Capture>(body))
        result = Result { () throws(BodyError) in
            try .refer(
                to: words, runner: ElementRunner<Element, Output, repeat each Capture>.self, file: file, line: line)
        }
    }

    /// Keeps an asynchronous body. It takes an element and then the captures.
    public init(
        file: String = #fileID, line: Int = #line,
        _ body: @escaping @Sendable (Element, repeat each Capture) async throws -> Output
    ) {
        let words = ClosureWords(AsyncElementBody<Element, Output, repeat each Capture>(body))
        result = Result { () throws(BodyError) in
            try .refer(
                to: words, runner: AsyncElementRunner<Element, Output, repeat each Capture>.self, file: file,
                line: line)
        }
    }

    /// Keeps a synchronous body that takes captures alone, for calls: `RemoteFunction { hostName() }`.
    @_disfavoredOverload
    public init(
        file: String = #fileID, line: Int = #line, _ body: @escaping @Sendable (repeat each Capture) throws -> Output
    ) where Element == Void {
        let words = ClosureWords(CallBody<Output, repeat each Capture>(body))
        result = Result { () throws(BodyError) in
            try .refer(to: words, runner: CallRunner<Output, repeat each Capture>.self, file: file, line: line)
        }
    }

    /// Keeps an asynchronous body that takes captures alone, for calls.
    @_disfavoredOverload
    public init(
        file: String = #fileID, line: Int = #line,
        _ body: @escaping @Sendable (repeat each Capture) async throws -> Output
    ) where Element == Void {
        let words = ClosureWords(AsyncCallBody<Output, repeat each Capture>(body))
        result = Result { () throws(BodyError) in
            try .refer(to: words, runner: AsyncCallRunner<Output, repeat each Capture>.self, file: file, line: line)
        }
    }

    /// What to send.
    ///
    /// - Throws: ``BodyError`` if the body was refused.
    package var reference: FunctionReference {
        get throws(BodyError) { try result.get() }
    }
}

/// Bodies of two parameters for the members of a pair.
package struct PairFunction<First: Sendable, Second: Sendable, Output: Sendable, each Capture>
where repeat each Capture: WireEncodable & WireDecodable & Sendable {
    package let reference: FunctionReference

    package init(
        file: String, line: Int,
        _ body: @escaping @Sendable (First, Second, repeat each Capture) throws -> Output
    ) throws(BodyError) {
        reference = try .refer(
            to: ClosureWords(PairBody<First, Second, Output, repeat each Capture>(body)),
            runner: PairRunner<First, Second, Output, repeat each Capture>.self, file: file, line: line)
    }

    package init(
        file: String, line: Int,
        _ body: @escaping @Sendable (First, Second, repeat each Capture) async throws -> Output
    ) throws(BodyError) {
        reference = try .refer(
            to: ClosureWords(AsyncPairBody<First, Second, Output, repeat each Capture>(body)),
            runner: AsyncPairRunner<First, Second, Output, repeat each Capture>.self, file: file, line: line)
    }
}

/// Bodies of three parameters for the members of a triple.
package struct TripleFunction<First: Sendable, Second: Sendable, Third: Sendable, Output: Sendable, each Capture>
where repeat each Capture: WireEncodable & WireDecodable & Sendable {
    package let reference: FunctionReference

    package init(
        file: String, line: Int,
        _ body: @escaping @Sendable (First, Second, Third, repeat each Capture) throws -> Output
    ) throws(BodyError) {
        reference = try .refer(
            to: ClosureWords(TripleBody<First, Second, Third, Output, repeat each Capture>(body)),
            runner: TripleRunner<First, Second, Third, Output, repeat each Capture>.self, file: file, line: line)
    }

    package init(
        file: String, line: Int,
        _ body: @escaping @Sendable (First, Second, Third, repeat each Capture) async throws -> Output
    ) throws(BodyError) {
        reference = try .refer(
            to: ClosureWords(AsyncTripleBody<First, Second, Third, Output, repeat each Capture>(body)),
            runner: AsyncTripleRunner<First, Second, Third, Output, repeat each Capture>.self, file: file, line: line)
    }
}

/// Bodies for whole batches.
package struct BatchFunction<Element: Plain & Sendable, Output: Plain & Sendable, each Capture>
where repeat each Capture: WireEncodable & WireDecodable & Sendable {
    package let reference: FunctionReference

    package init(
        file: String, line: Int,
        _ body: @escaping @Sendable (Span<Element>, inout MutableSpan<Output>, repeat each Capture) throws -> Void
    ) throws(BodyError) {
        reference = try .refer(
            to: ClosureWords(BatchBody<Element, Output, repeat each Capture>(body)),
            runner: BatchRunner<Element, Output, repeat each Capture>.self, file: file, line: line)
    }
}

/// Bodies for whole batches, without captures.
package struct SoleBatchFunction<Element: Plain & Sendable, Output: Plain & Sendable> {
    package let reference: FunctionReference

    package init(
        file: String, line: Int,
        _ body: @escaping @Sendable (Span<Element>, inout MutableSpan<Output>) throws -> Void
    ) throws(BodyError) {
        reference = try .refer(
            to: ClosureWords(SoleBatchBody<Element, Output>(body)), runner: SoleBatchRunner<Element, Output>.self,
            file: file, line: line)
    }
}

/// Bodies that are given captures alone.
package struct CallFunction<Output: Sendable, each Capture>
where repeat each Capture: WireEncodable & WireDecodable & Sendable {
    package let reference: FunctionReference

    package init(
        file: String, line: Int, _ body: @escaping @Sendable (repeat each Capture) throws -> Output
    ) throws(BodyError) {
        reference = try .refer(
            to: ClosureWords(CallBody<Output, repeat each Capture>(body)),
            runner: CallRunner<Output, repeat each Capture>.self, file: file, line: line)
    }

    package init(
        file: String, line: Int, _ body: @escaping @Sendable (repeat each Capture) async throws -> Output
    ) throws(BodyError) {
        reference = try .refer(
            to: ClosureWords(AsyncCallBody<Output, repeat each Capture>(body)),
            runner: AsyncCallRunner<Output, repeat each Capture>.self, file: file, line: line)
    }
}

/// Bodies that are given captures alone, and return nothing.
package struct ActionFunction<each Capture>
where repeat each Capture: WireEncodable & WireDecodable & Sendable {
    package let reference: FunctionReference

    package init(
        file: String, line: Int, _ body: @escaping @Sendable (repeat each Capture) throws -> Void
    ) throws(BodyError) {
        reference = try .refer(
            to: ClosureWords(ActionBody<repeat each Capture>(body)),
            runner: ActionRunner<repeat each Capture>.self, file: file, line: line)
    }

    package init(
        file: String, line: Int, _ body: @escaping @Sendable (repeat each Capture) async throws -> Void
    ) throws(BodyError) {
        reference = try .refer(
            to: ClosureWords(AsyncActionBody<repeat each Capture>(body)),
            runner: AsyncActionRunner<repeat each Capture>.self, file: file, line: line)
    }
}
