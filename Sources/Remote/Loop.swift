package import Wire

/// The body of a loop without results.
struct LoopBody<Element, each Capture>: Body {
    let function: @Sendable (Element, repeat each Capture) throws -> Void
    init(_ function: @escaping @Sendable (Element, repeat each Capture) throws -> Void) { self.function = function }
}

struct RangeLoopBody<each Capture>: Body {
    let function: @Sendable (Int, repeat each Capture) throws -> Void
    init(_ function: @escaping @Sendable (Int, repeat each Capture) throws -> Void) { self.function = function }
}

/// Runs a loop's body on its part of the integers.
final class RangeLoopRunner<each Capture>: SynchronousRunner
where repeat each Capture: WireEncodable & WireDecodable & Sendable {
    static var types: [any Any.Type] { list([], Captures<repeat each Capture>.self) }

    private let function: @Sendable (Int, repeat each Capture) throws -> Void
    private let captures = CapturesOf<repeat each Capture>()
    private let outputs = ValueCoder<Void>()

    init(code: UInt) { function = RangeLoopBody<repeat each Capture>(code: code).function }

    func readCaptures(from input: inout WireReader) throws(WireError) -> any ReadableCaptures {
        try captures.read(from: &input)
    }

    func run(
        _ captures: any ReadableCaptures, _ input: inout WireReader, _ output: inout WireWriter, as body: RunningBody,
        isCancelled: () -> Bool
    ) throws(WireError) {
        let captures = try self.captures.unwrap(captures)
        let (sizes, start) = try ReductionTree.read(from: &input)
        let first: Int = try input.read()
        runReduction(
            sizes, from: start, outputs, &output, as: body, isCancelled: isCancelled, { _, _ in () }
        ) { index in
            try function(first &+ index, repeat each captures.values)
        }
    }
}

/// Runs a loop's body on its part of the elements.
final class LoopRunner<Element: Sendable, each Capture>: SynchronousRunner
where repeat each Capture: WireEncodable & WireDecodable & Sendable {
    static var types: [any Any.Type] { list([Element.self], Captures<repeat each Capture>.self) }

    private let function: @Sendable (Element, repeat each Capture) throws -> Void
    private let captures = CapturesOf<repeat each Capture>()
    private let inputs = ValueCoder<Element>()
    private let outputs = ValueCoder<Void>()

    init(code: UInt) { function = LoopBody<Element, repeat each Capture>(code: code).function }

    func readCaptures(from input: inout WireReader) throws(WireError) -> any ReadableCaptures {
        try captures.read(from: &input)
    }

    func run(
        _ captures: any ReadableCaptures, _ input: inout WireReader, _ output: inout WireWriter, as body: RunningBody,
        isCancelled: () -> Bool
    ) throws(WireError) {
        let captures = try self.captures.unwrap(captures)
        let (sizes, start) = try ReductionTree.read(from: &input)
        let elements = try inputs.read(from: &input)
        guard elements.count == sizes.reduce(0, +) else { throw input.invalid("another number of elements") }
        runReduction(
            sizes, from: start, outputs, &output, as: body, isCancelled: isCancelled, { _, _ in () }
        ) { index in
            try function(elements[index - start], repeat each captures.values)
        }
    }
}

/// The body of a loop without results.
package struct LoopFunction: Sendable {
    package let reference: FunctionReference

    /// - Throws: ``BodyError`` if the body can't travel.
    package init<Element: Sendable, each Capture>(
        file: String, line: Int, _ body: @escaping @Sendable (Element, repeat each Capture) throws -> Void
    ) throws(BodyError) where repeat each Capture: WireEncodable & WireDecodable & Sendable {
        reference = try .refer(
            to: ClosureWords(LoopBody<Element, repeat each Capture>(body)),
            runner: LoopRunner<Element, repeat each Capture>.self, file: file, line: line)
    }

    /// - Throws: ``BodyError`` if the body can't travel.
    package init<each Capture>(
        rangeIn file: String, line: Int, _ body: @escaping @Sendable (Int, repeat each Capture) throws -> Void
    ) throws(BodyError) where repeat each Capture: WireEncodable & WireDecodable & Sendable {
        reference = try .refer(
            to: ClosureWords(RangeLoopBody<repeat each Capture>(body)),
            runner: RangeLoopRunner<repeat each Capture>.self, file: file, line: line)
    }
}
