package import Wire

// Bodies whose results stay in the process that runs them, and never travel: values of workers' own, and channels of a kind of one's own.
// What is to become of the result is the element of the call.

/// The body of a value of a worker's own.
struct LocalBody<Value, each Capture>: Body {
    let function: @Sendable (repeat each Capture) throws -> Value
    init(_ function: @escaping @Sendable (repeat each Capture) throws -> Value) { self.function = function }
}

struct AsyncLocalBody<Value, each Capture>: Body {
    let function: @Sendable (repeat each Capture) async throws -> Value
    init(_ function: @escaping @Sendable (repeat each Capture) async throws -> Value) { self.function = function }
}

/// What can be done with a result that stays.
package protocol KeptResult<Value>: Sendable {
    associatedtype Value: Sendable
    associatedtype Name: WireEncodable & WireDecodable & Sendable
    static func keep(_ value: Value, as name: Name, in process: ProcessState) throws
}

/// Sets a ``WorkerLocal``.
package enum KeptLocal<Value: Sendable>: KeptResult {
    package static func keep(_ value: Value, as name: String, in process: ProcessState) { process.set(name, to: value) }
}

/// Makes a channel of another kind.
package enum KeptChannel<Value: AbstractChannel>: KeptResult {
    package static func keep(_ value: Value, as name: ReferenceName, in process: ProcessState) throws {
        guard process.references.add(OwnChannel(value), name) else {
            throw ReferenceError(.refused, "there is something named \(name) already")
        }
    }
}

final class KeepingRunner<Kept: KeptResult, each Capture>: AsynchronousRunner
where repeat each Capture: WireEncodable & WireDecodable & Sendable {
    static var types: [any Any.Type] { list([Kept.Name.self], Captures<repeat each Capture>.self) }

    private let function: @Sendable (repeat each Capture) throws -> Kept.Value
    private let captures = CapturesOf<repeat each Capture>()

    init(code: UInt) { function = LocalBody<Kept.Value, repeat each Capture>(code: code).function }

    func readCaptures(from input: inout WireReader) throws(WireError) -> any ReadableCaptures {
        try captures.read(from: &input)
    }

    func run(
        _ captures: any ReadableCaptures, _ input: BatchInput, _ output: inout WireWriter, as body: RunningBody
    ) async throws(WireError) {
        let captures = try self.captures.unwrap(captures)
        let names = try Self.read(input, ValueCoder<Kept.Name>())
        await Self.runEach(names, ValueCoder<Void>(), &output, as: body) { [self] name in
            try keep(try function(repeat each captures.values), as: name, Kept.self)
        }
    }
}

final class AsyncKeepingRunner<Kept: KeptResult, each Capture>: AsynchronousRunner
where repeat each Capture: WireEncodable & WireDecodable & Sendable {
    static var types: [any Any.Type] { list([Kept.Name.self], Captures<repeat each Capture>.self) }

    private let function: @Sendable (repeat each Capture) async throws -> Kept.Value
    private let captures = CapturesOf<repeat each Capture>()

    init(code: UInt) { function = AsyncLocalBody<Kept.Value, repeat each Capture>(code: code).function }

    func readCaptures(from input: inout WireReader) throws(WireError) -> any ReadableCaptures {
        try captures.read(from: &input)
    }

    func run(
        _ captures: any ReadableCaptures, _ input: BatchInput, _ output: inout WireWriter, as body: RunningBody
    ) async throws(WireError) {
        let captures = try self.captures.unwrap(captures)
        let names = try Self.read(input, ValueCoder<Kept.Name>())
        await Self.runEach(names, ValueCoder<Void>(), &output, as: body) { [self] name in
            try keep(try await function(repeat each captures.values), as: name, Kept.self)
        }
    }
}

private func keep<Kept: KeptResult>(_ value: Kept.Value, as name: Kept.Name, _ kept: Kept.Type) throws {
    guard let process = ProcessState.current else {
        throw ReferenceError(.refused, "this process is part of no cluster")
    }
    try Kept.keep(value, as: name, in: process)
}

/// Bodies whose results stay where they run.
package struct KeepingFunction<Kept: KeptResult, each Capture>
where repeat each Capture: WireEncodable & WireDecodable & Sendable {
    package let reference: FunctionReference

    package init(
        file: String, line: Int, _ kept: Kept.Type,
        _ body: @escaping @Sendable (repeat each Capture) throws -> Kept.Value
    ) throws(BodyError) {
        reference = try .refer(
            to: ClosureWords(LocalBody<Kept.Value, repeat each Capture>(body)),
            runner: KeepingRunner<Kept, repeat each Capture>.self, file: file, line: line)
    }

    package init(
        file: String, line: Int, _ kept: Kept.Type,
        _ body: @escaping @Sendable (repeat each Capture) async throws -> Kept.Value
    ) throws(BodyError) {
        reference = try .refer(
            to: ClosureWords(AsyncLocalBody<Kept.Value, repeat each Capture>(body)),
            runner: AsyncKeepingRunner<Kept, repeat each Capture>.self, file: file, line: line)
    }
}
