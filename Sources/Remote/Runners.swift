import Wire

/// The captures of a call, which the worker was told beforehand.
private func unwrap<each Value: WireEncodable & WireDecodable & Sendable>(
    _ captures: (any ReadableCaptures)?, as type: Captures<repeat each Value>.Type
) throws(WireError) -> Captures<repeat each Value> {
    guard let captures = captures as? Captures<repeat each Value> else {
        throw WireError(code: .invalidValue, offset: 0, detail: "the captures are not those of the body")
    }
    return captures
}

struct ElementRunner<Element: Sendable, Output: Sendable, each Capture>: SynchronousRunner
where repeat each Capture: WireEncodable & WireDecodable & Sendable {
    static var types: [any Any.Type] { [Element.self, Output.self] }

    static func readCaptures(from input: inout WireReader) throws(WireError) -> any ReadableCaptures {
        try Captures<repeat each Capture>.read(from: &input)
    }

    static func run(
        code: UInt, captures: (any ReadableCaptures)?, input: inout WireReader, output: inout WireWriter,
        isCancelled: () -> Bool
    ) throws(WireError) {
        let function = ElementBody<Element, Output, repeat each Capture>(code: code).function
        let captures = try unwrap(captures, as: Captures<repeat each Capture>.self)
        let elements = try ValueCoder<Element>().read(from: &input)
        runEach(
            elements, capturing: repeat each captures.values, to: &output, isCancelled: isCancelled, function)
    }
}

struct AsyncElementRunner<Element: Sendable, Output: Sendable, each Capture>: AsynchronousRunner
where repeat each Capture: WireEncodable & WireDecodable & Sendable {
    static var types: [any Any.Type] { [Element.self, Output.self] }

    static func readCaptures(from input: inout WireReader) throws(WireError) -> any ReadableCaptures {
        try Captures<repeat each Capture>.read(from: &input)
    }

    static func run(
        code: UInt, captures: (any ReadableCaptures)?, input: [UInt8]
    ) async throws(WireError) -> [UInt8] {
        let function = AsyncElementBody<Element, Output, repeat each Capture>(code: code).function
        let captures = try unwrap(captures, as: Captures<repeat each Capture>.self)
        let elements: [Element] = try read(input)
        return try await runEach(elements) { try await function($0, repeat each captures.values) }
    }
}

struct PairRunner<First: Sendable, Second: Sendable, Output: Sendable, each Capture>: SynchronousRunner
where repeat each Capture: WireEncodable & WireDecodable & Sendable {
    static var types: [any Any.Type] { [First.self, Second.self, Output.self] }

    static func readCaptures(from input: inout WireReader) throws(WireError) -> any ReadableCaptures {
        try Captures<repeat each Capture>.read(from: &input)
    }

    static func run(
        code: UInt, captures: (any ReadableCaptures)?, input: inout WireReader, output: inout WireWriter,
        isCancelled: () -> Bool
    ) throws(WireError) {
        let function = PairBody<First, Second, Output, repeat each Capture>(code: code).function
        let captures = try unwrap(captures, as: Captures<repeat each Capture>.self)
        let elements: [(First, Second)] = try ValueCoder().read(from: &input)
        runEach(elements, capturing: repeat each captures.values, to: &output, isCancelled: isCancelled) {
            (pair: (First, Second), values: repeat each Capture) in
            try function(pair.0, pair.1, repeat each values)
        }
    }
}

struct AsyncPairRunner<First: Sendable, Second: Sendable, Output: Sendable, each Capture>: AsynchronousRunner
where repeat each Capture: WireEncodable & WireDecodable & Sendable {
    static var types: [any Any.Type] { [First.self, Second.self, Output.self] }

    static func readCaptures(from input: inout WireReader) throws(WireError) -> any ReadableCaptures {
        try Captures<repeat each Capture>.read(from: &input)
    }

    static func run(
        code: UInt, captures: (any ReadableCaptures)?, input: [UInt8]
    ) async throws(WireError) -> [UInt8] {
        let function = AsyncPairBody<First, Second, Output, repeat each Capture>(code: code).function
        let captures = try unwrap(captures, as: Captures<repeat each Capture>.self)
        let elements: [(First, Second)] = try read(input)
        return try await runEach(elements) { try await function($0.0, $0.1, repeat each captures.values) }
    }
}

struct CallRunner<Output: Sendable, each Capture>: SynchronousRunner
where repeat each Capture: WireEncodable & WireDecodable & Sendable {
    static var types: [any Any.Type] { [Output.self] }

    static func readCaptures(from input: inout WireReader) throws(WireError) -> any ReadableCaptures {
        try Captures<repeat each Capture>.read(from: &input)
    }

    static func run(
        code: UInt, captures: (any ReadableCaptures)?, input: inout WireReader, output: inout WireWriter,
        isCancelled: () -> Bool
    ) throws(WireError) {
        let function = CallBody<Output, repeat each Capture>(code: code).function
        let captures = try unwrap(captures, as: Captures<repeat each Capture>.self)
        let elements: [Void] = try ValueCoder().read(from: &input)
        runEach(elements, capturing: repeat each captures.values, to: &output, isCancelled: isCancelled) {
            (_: Void, values: repeat each Capture) in
            try function(repeat each values)
        }
    }
}

struct AsyncCallRunner<Output: Sendable, each Capture>: AsynchronousRunner
where repeat each Capture: WireEncodable & WireDecodable & Sendable {
    static var types: [any Any.Type] { [Output.self] }

    static func readCaptures(from input: inout WireReader) throws(WireError) -> any ReadableCaptures {
        try Captures<repeat each Capture>.read(from: &input)
    }

    static func run(
        code: UInt, captures: (any ReadableCaptures)?, input: [UInt8]
    ) async throws(WireError) -> [UInt8] {
        let function = AsyncCallBody<Output, repeat each Capture>(code: code).function
        let captures = try unwrap(captures, as: Captures<repeat each Capture>.self)
        let elements: [Void] = try read(input)
        return try await runEach(elements) { try await function(repeat each captures.values) }
    }
}
