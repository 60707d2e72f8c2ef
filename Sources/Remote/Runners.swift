import Wire

/// A list of types, and the captures' behind them.
private func list<each Value>(_ types: [any Any.Type], _ captures: Captures<repeat each Value>.Type) -> [any Any.Type] {
    var types = types
    for type in repeat (each Value).self { types.append(type) }
    return types
}

/// The captures of a call, as the body takes them.
@safe
private struct CapturesOf<each Value: WireEncodable & WireDecodable & Sendable>: Sendable {
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
        _ captures: any ReadableCaptures, _ input: inout WireReader, _ output: inout WireWriter,
        isCancelled: () -> Bool
    ) throws(WireError) {
        let captures = try self.captures.unwrap(captures)
        try Self.runEach(
            inputs, outputs, &input, &output, capturing: repeat each captures.values, isCancelled: isCancelled,
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
        _ captures: any ReadableCaptures, _ input: BatchInput, _ output: inout WireWriter
    ) async throws(WireError) {
        let captures = try self.captures.unwrap(captures)
        let elements = try Self.read(input, ValueCoder<Element>())
        await Self.runEach(elements, ValueCoder<Output>(), &output) { [self] element in
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
        _ captures: any ReadableCaptures, _ input: inout WireReader, _ output: inout WireWriter,
        isCancelled: () -> Bool
    ) throws(WireError) {
        let captures = try self.captures.unwrap(captures)
        try Self.runEach(
            inputs, outputs, &input, &output, capturing: repeat each captures.values, isCancelled: isCancelled
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
        _ captures: any ReadableCaptures, _ input: BatchInput, _ output: inout WireWriter
    ) async throws(WireError) {
        let captures = try self.captures.unwrap(captures)
        let pairs = try Self.read(input, ValueCoder<(First, Second)>())
        await Self.runEach(pairs, ValueCoder<Output>(), &output) { [self] pair in
            try await function(pair.0, pair.1, repeat each captures.values)
        }
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
        _ captures: any ReadableCaptures, _ input: inout WireReader, _ output: inout WireWriter,
        isCancelled: () -> Bool
    ) throws(WireError) {
        let captures = try self.captures.unwrap(captures)
        try Self.runEach(
            inputs, outputs, &input, &output, capturing: repeat each captures.values, isCancelled: isCancelled
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
        _ captures: any ReadableCaptures, _ input: BatchInput, _ output: inout WireWriter
    ) async throws(WireError) {
        let captures = try self.captures.unwrap(captures)
        let calls: [Void] = try Self.read(input, ValueCoder<Void>())
        await Self.runEach(calls, ValueCoder<Output>(), &output) { [self] _ in
            try await function(repeat each captures.values)
        }
    }
}
