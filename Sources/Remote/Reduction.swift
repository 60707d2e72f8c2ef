package import Wire

/// A reducer's code, without anything captured.
struct ReducerBody<Output>: Body {
    let function: @Sendable (Output, Output) throws -> Output
    init(_ function: @escaping @Sendable (Output, Output) throws -> Output) { self.function = function }
}

/// A reducer as it travels with the elements that it is for.
package struct Reducer: Sendable, WireEncodable {
    let code: CodeAddress

    /// - Throws: ``BodyError`` if it captured something.
    package init<Output>(
        file: String, line: Int, _ function: @escaping @Sendable (Output, Output) throws -> Output
    ) throws(BodyError) {
        let words = ClosureWords(ReducerBody<Output>(function))
        guard words.context == 0 else { throw .captures(file: file, line: line) }
        guard let code = CodeAddress(of: words.code) else { throw .foreignCode(file: file, line: line) }
        self.code = code
    }

    package func write(to output: inout WireWriter) { output.write(code.image, code.offset) }

    /// Reads a reducer, ready to be called.
    static func read<Output>(
        from input: inout WireReader, _ type: Output.Type
    ) throws(WireError) -> @Sendable (Output, Output) throws -> Output {
        let (image, offset): (String, UInt64) = (try input.read(), try input.read())
        guard let address = CodeAddress(image: image, offset: offset).address else {
            throw input.invalid("no code of a reducer at \(offset)")
        }
        return ReducerBody<Output>(code: address).function
    }
}

/// Folds leaves of a tree, and puts them together.
private struct LeafFold<Output> {
    let reduce: (Output, Output) throws -> Output
    /// The value of an element.
    let value: (Int) throws -> Output
    /// Place of the element that is at work.
    var place = 0

    /// The leaves of these sizes, whose first element is at `start`.
    mutating func fold(_ sizes: ArraySlice<Int>, from start: Int) throws -> Output {
        guard sizes.count > 1 else { return try leaf(start..<start + (sizes.first ?? 0)) }
        let middle = sizes.startIndex + sizes.count / 2
        let left = sizes[..<middle]
        let first = try fold(left, from: start)
        return try reduce(first, try fold(sizes[middle...], from: start + left.reduce(0, +)))
    }

    private mutating func leaf(_ elements: Range<Int>) throws -> Output {
        place = elements.lowerBound
        var result = try value(place)
        for index in elements.dropFirst() {
            place = index
            result = try reduce(result, try value(index))
        }
        return result
    }
}

/// Puts the part of a reduction together that a call is for, and writes its one result.
func runReduction<Output>(
    _ sizes: [Int], from start: Int, _ outputs: ValueCoder<Output>, _ output: inout WireWriter,
    as body: RunningBody, isCancelled: () -> Bool, _ reduce: (Output, Output) throws -> Output,
    _ value: (Int) throws -> Output
) {
    var failures: [IndexedFailure] = []
    withoutActuallyEscaping(value) { value in
        withoutActuallyEscaping(reduce) { reduce in
            withoutActuallyEscaping(isCancelled) { isCancelled in
                var fold = LeafFold(reduce: reduce) { index in
                    if isCancelled() { throw CancellationError() }
                    body.begin(element: index - start)
                    return try value(index)
                }
                do {
                    outputs.write([try fold.fold(sizes[...], from: start)], to: &output)
                } catch {
                    outputs.write([], to: &output)
                    failures.append(IndexedFailure(index: fold.place, failure: RemoteFailure(error)))
                }
            }
        }
    }
    IndexedFailure.write(failures, to: &output)
}

extension ReductionTree {
    /// Reads the sizes of a part's leaves, and the place of the first element.
    static func read(from input: inout WireReader) throws(WireError) -> (sizes: [Int], start: Int) {
        let (sizes, start): ([Int], Int) = (try input.read(), try input.read())
        // So that the place of every element is a number.
        guard !sizes.isEmpty, sizes.count <= mostLeaves, start >= 0, start <= 1 << 62,
            sizes.allSatisfy({ $0 > 0 && $0 <= 1 << 49 })
        else { throw input.invalid("a part of a reduction without elements, or with more than there are numbers") }
        return (sizes, start)
    }

    /// Writes what a worker has to know of a part.
    ///
    /// - Parameters:
    ///   - reducer: `nil` for a loop.
    ///   - first: Place of the tree's first element in the input.
    package func write(
        _ leaves: Range<Int>, _ reducer: Reducer?, from first: Int = 0, to output: inout WireWriter
    ) {
        reducer?.write(to: &output)
        output.write(sizes(of: leaves), first + elements(of: leaves).lowerBound)
    }
}

final class ReduceRunner<Element: Sendable, Output: Sendable, each Capture>: SynchronousRunner
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
        let reduce = try Reducer.read(from: &input, Output.self)
        let (sizes, start) = try ReductionTree.read(from: &input)
        let elements = try inputs.read(from: &input)
        guard elements.count == sizes.reduce(0, +) else { throw input.invalid("another number of elements") }
        runReduction(sizes, from: start, outputs, &output, as: body, isCancelled: isCancelled, reduce) { index in
            try function(elements[index - start], repeat each captures.values)
        }
    }
}

final class RangeReduceRunner<Output: Sendable, each Capture>: SynchronousRunner
where repeat each Capture: WireEncodable & WireDecodable & Sendable {
    static var types: [any Any.Type] { list([Output.self], Captures<repeat each Capture>.self) }

    private let function: @Sendable (Int, repeat each Capture) throws -> Output
    private let captures = CapturesOf<repeat each Capture>()
    private let outputs = ValueCoder<Output>()

    init(code: UInt) {
        function = RangeBody<Output, repeat each Capture>(code: code).function
    }

    func readCaptures(from input: inout WireReader) throws(WireError) -> any ReadableCaptures {
        try captures.read(from: &input)
    }

    func run(
        _ captures: any ReadableCaptures, _ input: inout WireReader, _ output: inout WireWriter, as body: RunningBody,
        isCancelled: () -> Bool
    ) throws(WireError) {
        let captures = try self.captures.unwrap(captures)
        let reduce = try Reducer.read(from: &input, Output.self)
        let (sizes, start) = try ReductionTree.read(from: &input)
        let first: Int = try input.read()
        runReduction(sizes, from: start, outputs, &output, as: body, isCancelled: isCancelled, reduce) { index in
            try function(first &+ index, repeat each captures.values)
        }
    }
}

/// A body over integers: a closure whose parameter is known to be one is another than one whose parameter may be anything.
struct RangeBody<Output, each Capture>: Body {
    let function: @Sendable (Int, repeat each Capture) throws -> Output
    init(_ function: @escaping @Sendable (Int, repeat each Capture) throws -> Output) { self.function = function }
}

/// A value that a process has, and another may ask for.
package protocol FetchableValue: WireEncodable, WireDecodable, Sendable {
    associatedtype Value: Sendable
    func fetchValue() async throws -> Value
}

/// Puts two parts of a reduction together. Its body is the reducer.
final class CombineRunner<Source: FetchableValue>: AsynchronousRunner {
    static var types: [any Any.Type] { [Source.self, Source.Value.self] }

    private let reduce: @Sendable (Source.Value, Source.Value) throws -> Source.Value
    private let captures = capturesOf()

    init(code: UInt) { reduce = ReducerBody<Source.Value>(code: code).function }

    func readCaptures(from input: inout WireReader) throws(WireError) -> any ReadableCaptures {
        try captures.read(from: &input)
    }

    func run(
        _ captures: any ReadableCaptures, _ input: BatchInput, _ output: inout WireWriter, as body: RunningBody
    ) async throws(WireError) {
        _ = try self.captures.unwrap(captures)
        let pairs = try Self.read(input, ValueCoder<(Source, Source)>())
        await Self.runEach(pairs, ValueCoder<Source.Value>(), &output, as: body) { [self] pair in
            // Where they are elsewhere, both are on their way at the same time.
            async let other = pair.1.fetchValue()
            let one = try await pair.0.fetchValue()
            return try reduce(one, try await other)
        }
    }
}

/// The bodies of a reduction.
package struct ReductionFunctions: Sendable {
    /// Gives a part's result.
    package let part: FunctionReference
    /// Puts two results together.
    package let combine: FunctionReference
    package let reducer: Reducer

    /// - Throws: ``BodyError`` if a body can't travel.
    package init<Element: Sendable, Source: FetchableValue, each Capture>(
        file: String, line: Int, combining source: Source.Type,
        reduce: @escaping @Sendable (Source.Value, Source.Value) throws -> Source.Value,
        _ body: @escaping @Sendable (Element, repeat each Capture) throws -> Source.Value
    ) throws(BodyError) where repeat each Capture: WireEncodable & WireDecodable & Sendable {
        part = try .refer(
            to: ClosureWords(ElementBody<Element, Source.Value, repeat each Capture>(body)),
            runner: ReduceRunner<Element, Source.Value, repeat each Capture>.self, file: file, line: line)
        (combine, reducer) = try ReductionFunctions.combining(file: file, line: line, source, reduce)
    }

    /// For integers one after the other, which need not travel.
    ///
    /// - Throws: ``BodyError`` if a body can't travel.
    package init<Source: FetchableValue, each Capture>(
        rangeIn file: String, line: Int, combining source: Source.Type,
        reduce: @escaping @Sendable (Source.Value, Source.Value) throws -> Source.Value,
        _ body: @escaping @Sendable (Int, repeat each Capture) throws -> Source.Value
    ) throws(BodyError) where repeat each Capture: WireEncodable & WireDecodable & Sendable {
        part = try .refer(
            to: ClosureWords(RangeBody<Source.Value, repeat each Capture>(body)),
            runner: RangeReduceRunner<Source.Value, repeat each Capture>.self, file: file, line: line)
        (combine, reducer) = try ReductionFunctions.combining(file: file, line: line, source, reduce)
    }

    private static func combining<Source: FetchableValue>(
        file: String, line: Int, _ source: Source.Type,
        _ reduce: @escaping @Sendable (Source.Value, Source.Value) throws -> Source.Value
    ) throws(BodyError) -> (FunctionReference, Reducer) {
        let reducer = try Reducer(file: file, line: line, reduce)
        return (
            try .refer(
                to: ClosureWords(ReducerBody<Source.Value>(reduce)), runner: CombineRunner<Source>.self, file: file,
                line: line), reducer
        )
    }
}
