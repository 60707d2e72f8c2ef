import CPlatform
import Wire

/// A list of types, and the captures' behind them.
func list<each Value>(_ types: [any Any.Type], _ captures: Captures<repeat each Value>.Type) -> [any Any.Type] {
    var types = types
    for type in repeat (each Value).self { types.append(type) }
    return types
}

/// The captures of a call, as the body takes them.
@safe
struct CapturesOf<each Value: WireEncodable & WireDecodable & Sendable>: Sendable {
    private let type = ObjectIdentifier(Captures<repeat each Value>.self)

    /// Reads captures.
    func read(from input: inout WireReader) throws(WireError) -> any ReadableCaptures {
        try Captures<repeat each Value>.read(from: &input)
    }

    /// The captures by their type.
    ///
    /// - Throws: `WireError` if they are others.
    func unwrap(_ captures: any ReadableCaptures) throws(WireError) -> Captures<repeat each Value> {
        guard ObjectIdentifier(Swift.type(of: captures)) == type else {
            throw WireError(code: .invalidValue, offset: 0, detail: "the captures are not those of the body")
        }
        // SAFETY: an object of that very class. A cast that asks takes longer than many a body.
        return unsafe unsafeDowncast(captures, to: Captures<repeat each Value>.self)
    }
}

/// For captures of these types: a list of none can't be written as arguments of a generic type.
func capturesOf<each Value: WireEncodable & WireDecodable & Sendable>(
    _ types: repeat (each Value).Type
) -> CapturesOf<repeat each Value> {
    CapturesOf()
}

final class ElementRunner<Element: Sendable, Output: Sendable, each Capture>: SynchronousRunner
where repeat each Capture: WireEncodable & WireDecodable & Sendable {
    static var types: [any Any.Type] { list([Element.self, Output.self], Captures<repeat each Capture>.self) }

    private let function: @Sendable (Element, repeat each Capture) throws -> Output
    private let captures = CapturesOf<repeat each Capture>()
    private let inputs = ValueCoder<Element>()
    private let outputs = ValueCoder<Output>()

    init(code: UInt) {
        function = ElementBody<Element, Output, repeat each Capture>(code: code).function
    }

    func readCaptures(from input: inout WireReader) throws(WireError) -> any ReadableCaptures {
        try captures.read(from: &input)
    }

    func run(
        _ captures: any ReadableCaptures, _ input: inout WireReader, _ output: inout WireWriter, as body: RunningBody,
        isCancelled: () -> Bool
    ) throws(WireError) {
        let captures = try self.captures.unwrap(captures)
        try Self.runEach(
            inputs, outputs, &input, &output, as: body, capturing: repeat each captures.values,
            isCancelled: isCancelled,
            function)
    }
}

final class AsyncElementRunner<Element: Sendable, Output: Sendable, each Capture>: AsynchronousRunner
where repeat each Capture: WireEncodable & WireDecodable & Sendable {
    static var types: [any Any.Type] { list([Element.self, Output.self], Captures<repeat each Capture>.self) }

    private let function: @Sendable (Element, repeat each Capture) async throws -> Output
    private let captures = CapturesOf<repeat each Capture>()

    init(code: UInt) {
        function = AsyncElementBody<Element, Output, repeat each Capture>(code: code).function
    }

    func readCaptures(from input: inout WireReader) throws(WireError) -> any ReadableCaptures {
        try captures.read(from: &input)
    }

    func run(
        _ captures: any ReadableCaptures, _ input: BatchInput, _ output: inout WireWriter, as body: RunningBody
    ) async throws(WireError) {
        let captures = try self.captures.unwrap(captures)
        let elements = try Self.read(input, ValueCoder<Element>())
        await Self.runEach(elements, ValueCoder<Output>(), &output, as: body) { [self] element in
            try await function(element, repeat each captures.values)
        }
    }
}

final class PairRunner<First: Sendable, Second: Sendable, Output: Sendable, each Capture>: SynchronousRunner
where repeat each Capture: WireEncodable & WireDecodable & Sendable {
    static var types: [any Any.Type] {
        list([First.self, Second.self, Output.self], Captures<repeat each Capture>.self)
    }

    private let function: @Sendable (First, Second, repeat each Capture) throws -> Output
    private let captures = CapturesOf<repeat each Capture>()
    private let inputs = ValueCoder<(First, Second)>()
    private let outputs = ValueCoder<Output>()

    init(code: UInt) {
        function = PairBody<First, Second, Output, repeat each Capture>(code: code).function
    }

    func readCaptures(from input: inout WireReader) throws(WireError) -> any ReadableCaptures {
        try captures.read(from: &input)
    }

    func run(
        _ captures: any ReadableCaptures, _ input: inout WireReader, _ output: inout WireWriter, as body: RunningBody,
        isCancelled: () -> Bool
    ) throws(WireError) {
        let captures = try self.captures.unwrap(captures)
        try Self.runEach(
            inputs, outputs, &input, &output, as: body, capturing: repeat each captures.values,
            isCancelled: isCancelled
        ) { (pair: (First, Second), values: repeat each Capture) in
            try function(pair.0, pair.1, repeat each values)
        }
    }
}

final class AsyncPairRunner<First: Sendable, Second: Sendable, Output: Sendable, each Capture>: AsynchronousRunner
where repeat each Capture: WireEncodable & WireDecodable & Sendable {
    static var types: [any Any.Type] {
        list([First.self, Second.self, Output.self], Captures<repeat each Capture>.self)
    }

    private let function: @Sendable (First, Second, repeat each Capture) async throws -> Output
    private let captures = CapturesOf<repeat each Capture>()

    init(code: UInt) {
        function = AsyncPairBody<First, Second, Output, repeat each Capture>(code: code).function
    }

    func readCaptures(from input: inout WireReader) throws(WireError) -> any ReadableCaptures {
        try captures.read(from: &input)
    }

    func run(
        _ captures: any ReadableCaptures, _ input: BatchInput, _ output: inout WireWriter, as body: RunningBody
    ) async throws(WireError) {
        let captures = try self.captures.unwrap(captures)
        let pairs = try Self.read(input, ValueCoder<(First, Second)>())
        await Self.runEach(pairs, ValueCoder<Output>(), &output, as: body) { [self] pair in
            try await function(pair.0, pair.1, repeat each captures.values)
        }
    }
}

final class TripleRunner<First: Sendable, Second: Sendable, Third: Sendable, Output: Sendable, each Capture>:
    SynchronousRunner
where repeat each Capture: WireEncodable & WireDecodable & Sendable {
    static var types: [any Any.Type] {
        list([First.self, Second.self, Third.self, Output.self], Captures<repeat each Capture>.self)
    }

    private let function: @Sendable (First, Second, Third, repeat each Capture) throws -> Output
    private let captures = CapturesOf<repeat each Capture>()
    private let inputs = ValueCoder<(First, Second, Third)>()
    private let outputs = ValueCoder<Output>()

    init(code: UInt) {
        function = TripleBody<First, Second, Third, Output, repeat each Capture>(code: code).function
    }

    func readCaptures(from input: inout WireReader) throws(WireError) -> any ReadableCaptures {
        try captures.read(from: &input)
    }

    func run(
        _ captures: any ReadableCaptures, _ input: inout WireReader, _ output: inout WireWriter, as body: RunningBody,
        isCancelled: () -> Bool
    ) throws(WireError) {
        let captures = try self.captures.unwrap(captures)
        try Self.runEach(
            inputs, outputs, &input, &output, as: body, capturing: repeat each captures.values,
            isCancelled: isCancelled
        ) { (triple: (First, Second, Third), values: repeat each Capture) in
            try function(triple.0, triple.1, triple.2, repeat each values)
        }
    }
}

final class AsyncTripleRunner<First: Sendable, Second: Sendable, Third: Sendable, Output: Sendable, each Capture>:
    AsynchronousRunner
where repeat each Capture: WireEncodable & WireDecodable & Sendable {
    static var types: [any Any.Type] {
        list([First.self, Second.self, Third.self, Output.self], Captures<repeat each Capture>.self)
    }

    private let function: @Sendable (First, Second, Third, repeat each Capture) async throws -> Output
    private let captures = CapturesOf<repeat each Capture>()

    init(code: UInt) {
        function = AsyncTripleBody<First, Second, Third, Output, repeat each Capture>(code: code).function
    }

    func readCaptures(from input: inout WireReader) throws(WireError) -> any ReadableCaptures {
        try captures.read(from: &input)
    }

    func run(
        _ captures: any ReadableCaptures, _ input: BatchInput, _ output: inout WireWriter, as body: RunningBody
    ) async throws(WireError) {
        let captures = try self.captures.unwrap(captures)
        let triples = try Self.read(input, ValueCoder<(First, Second, Third)>())
        await Self.runEach(triples, ValueCoder<Output>(), &output, as: body) { [self] triple in
            try await function(triple.0, triple.1, triple.2, repeat each captures.values)
        }
    }
}

/// Runs a body that takes all elements of a batch at once, and makes their results.
private func runBatch<Element: Plain, Output: Plain>(
    _ inputs: ValueCoder<Element>, _ outputs: ValueCoder<Output>, _ input: inout WireReader,
    _ output: inout WireWriter, as running: RunningBody, isCancelled: () -> Bool,
    _ body: (Span<Element>, inout MutableSpan<Output>) throws -> Void
) throws(WireError) {
    var failures: [IndexedFailure] = []
    try unsafe inputs.read(from: &input) { elements in
        unsafe outputs.write(atMost: elements.count, to: &output) { results in
            guard !isCancelled() else { return 0 }
            running.begin(element: 0)
            platform_begin_noted_stack()
            defer { platform_end_noted_stack() }
            // SAFETY: room for as many; any bits are a plain value, so all are values whatever the body leaves.
            var span = unsafe MutableSpan(_unsafeStart: results, count: elements.count)
            do {
                // SAFETY: the elements stay for the call that they were given to.
                try body(unsafe Span(_unsafeElements: elements), &span)
                return elements.count
            } catch {
                // Which of them it was, nobody knows: each is tried by itself, if at all.
                let failure = RemoteFailure(error)
                failures = elements.indices.map { IndexedFailure(index: $0, failure: failure) }
                return 0
            }
        }
    }
    try input.expectEnd()
    IndexedFailure.write(failures, to: &output)
}

final class BatchRunner<Element: Plain & Sendable, Output: Plain & Sendable, each Capture>: SynchronousRunner
where repeat each Capture: WireEncodable & WireDecodable & Sendable {
    static var types: [any Any.Type] { list([Element.self, Output.self], Captures<repeat each Capture>.self) }

    private let function: @Sendable (Span<Element>, inout MutableSpan<Output>, repeat each Capture) throws -> Void
    private let captures = CapturesOf<repeat each Capture>()
    private let inputs = ValueCoder<Element>()
    private let outputs = ValueCoder<Output>()

    init(code: UInt) {
        function = BatchBody<Element, Output, repeat each Capture>(code: code).function
    }

    func readCaptures(from input: inout WireReader) throws(WireError) -> any ReadableCaptures {
        try captures.read(from: &input)
    }

    func run(
        _ captures: any ReadableCaptures, _ input: inout WireReader, _ output: inout WireWriter, as body: RunningBody,
        isCancelled: () -> Bool
    ) throws(WireError) {
        let captures = try self.captures.unwrap(captures)
        try runBatch(inputs, outputs, &input, &output, as: body, isCancelled: isCancelled) { elements, results in
            try function(elements, &results, repeat each captures.values)
        }
    }
}

final class SoleBatchRunner<Element: Plain & Sendable, Output: Plain & Sendable>: SynchronousRunner {
    static var types: [any Any.Type] { [Element.self, Output.self] }

    private let function: @Sendable (Span<Element>, inout MutableSpan<Output>) throws -> Void
    private let captures = capturesOf()
    private let inputs = ValueCoder<Element>()
    private let outputs = ValueCoder<Output>()

    init(code: UInt) {
        function = SoleBatchBody<Element, Output>(code: code).function
    }

    func readCaptures(from input: inout WireReader) throws(WireError) -> any ReadableCaptures {
        try captures.read(from: &input)
    }

    func run(
        _ captures: any ReadableCaptures, _ input: inout WireReader, _ output: inout WireWriter, as body: RunningBody,
        isCancelled: () -> Bool
    ) throws(WireError) {
        _ = try self.captures.unwrap(captures)
        try runBatch(inputs, outputs, &input, &output, as: body, isCancelled: isCancelled, function)
    }
}

final class CallRunner<Output: Sendable, each Capture>: SynchronousRunner
where repeat each Capture: WireEncodable & WireDecodable & Sendable {
    static var types: [any Any.Type] { list([Output.self], Captures<repeat each Capture>.self) }

    private let function: @Sendable (repeat each Capture) throws -> Output
    private let captures = CapturesOf<repeat each Capture>()
    private let inputs = ValueCoder<Void>()
    private let outputs = ValueCoder<Output>()

    init(code: UInt) {
        function = CallBody<Output, repeat each Capture>(code: code).function
    }

    func readCaptures(from input: inout WireReader) throws(WireError) -> any ReadableCaptures {
        try captures.read(from: &input)
    }

    func run(
        _ captures: any ReadableCaptures, _ input: inout WireReader, _ output: inout WireWriter, as body: RunningBody,
        isCancelled: () -> Bool
    ) throws(WireError) {
        let captures = try self.captures.unwrap(captures)
        try Self.runEach(
            inputs, outputs, &input, &output, as: body, capturing: repeat each captures.values,
            isCancelled: isCancelled
        ) { (_: Void, values: repeat each Capture) in
            try function(repeat each values)
        }
    }
}

final class AsyncCallRunner<Output: Sendable, each Capture>: AsynchronousRunner
where repeat each Capture: WireEncodable & WireDecodable & Sendable {
    static var types: [any Any.Type] { list([Output.self], Captures<repeat each Capture>.self) }

    private let function: @Sendable (repeat each Capture) async throws -> Output
    private let captures = CapturesOf<repeat each Capture>()

    init(code: UInt) {
        function = AsyncCallBody<Output, repeat each Capture>(code: code).function
    }

    func readCaptures(from input: inout WireReader) throws(WireError) -> any ReadableCaptures {
        try captures.read(from: &input)
    }

    func run(
        _ captures: any ReadableCaptures, _ input: BatchInput, _ output: inout WireWriter, as body: RunningBody
    ) async throws(WireError) {
        let captures = try self.captures.unwrap(captures)
        let calls: [Void] = try Self.read(input, ValueCoder<Void>())
        await Self.runEach(calls, ValueCoder<Output>(), &output, as: body) { [self] _ in
            try await function(repeat each captures.values)
        }
    }
}

final class ActionRunner<each Capture>: SynchronousRunner
where repeat each Capture: WireEncodable & WireDecodable & Sendable {
    static var types: [any Any.Type] { list([], Captures<repeat each Capture>.self) }

    private let function: @Sendable (repeat each Capture) throws -> Void
    private let captures = CapturesOf<repeat each Capture>()
    private let inputs = ValueCoder<Void>()
    private let outputs = ValueCoder<Void>()

    init(code: UInt) {
        function = ActionBody<repeat each Capture>(code: code).function
    }

    func readCaptures(from input: inout WireReader) throws(WireError) -> any ReadableCaptures {
        try captures.read(from: &input)
    }

    func run(
        _ captures: any ReadableCaptures, _ input: inout WireReader, _ output: inout WireWriter, as body: RunningBody,
        isCancelled: () -> Bool
    ) throws(WireError) {
        let captures = try self.captures.unwrap(captures)
        try Self.runEach(
            inputs, outputs, &input, &output, as: body, capturing: repeat each captures.values, isCancelled: isCancelled
        ) { (_: Void, values: repeat each Capture) in
            try function(repeat each values)
        }
    }
}

final class AsyncActionRunner<each Capture>: AsynchronousRunner
where repeat each Capture: WireEncodable & WireDecodable & Sendable {
    static var types: [any Any.Type] { list([], Captures<repeat each Capture>.self) }

    private let function: @Sendable (repeat each Capture) async throws -> Void
    private let captures = CapturesOf<repeat each Capture>()

    init(code: UInt) {
        function = AsyncActionBody<repeat each Capture>(code: code).function
    }

    func readCaptures(from input: inout WireReader) throws(WireError) -> any ReadableCaptures {
        try captures.read(from: &input)
    }

    func run(
        _ captures: any ReadableCaptures, _ input: BatchInput, _ output: inout WireWriter, as body: RunningBody
    ) async throws(WireError) {
        let captures = try self.captures.unwrap(captures)
        let calls: [Void] = try Self.read(input, ValueCoder<Void>())
        await Self.runEach(calls, ValueCoder<Void>(), &output, as: body) { [self] _ in
            try await function(repeat each captures.values)
        }
    }
}
