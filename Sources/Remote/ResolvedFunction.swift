package import Wire

/// A body as a worker holds it, ready to run, as often as one likes.
package final class ResolvedFunction: Sendable {
    fileprivate let runner: any RemoteRunner
    private let synchronous: (any SynchronousRunner)?
    private let asynchronous: (any AsynchronousRunner)?

    /// Finds the body in this process.
    ///
    /// - Throws: `WireError` if the code or the type is not here: the driver is another program.
    package init(_ reference: FunctionReference) throws(WireError) {
        guard let code = reference.code.address else {
            let image = reference.code.image.isEmpty ? "the executable" : reference.code.image
            throw WireError(
                code: .invalidValue, offset: 0, detail: "no code at \(reference.code.offset) of \(image)")
        }
        guard let type = _typeByName(reference.runner) as? any RemoteRunner.Type else {
            throw WireError(code: .invalidValue, offset: 0, detail: "no type \(reference.runner) in this program")
        }
        runner = type.init(code: code)
        synchronous = runner as? any SynchronousRunner
        asynchronous = runner as? any AsynchronousRunner
    }

    /// Whether the body may suspend.
    package var isAsynchronous: Bool { asynchronous != nil }

    /// Runs a body that does not suspend on the elements in `input`, and writes a ``BatchReply``.
    ///
    /// - Parameters:
    ///   - captures: Those that the body takes.
    ///   - body: What it can learn of the call.
    /// - Throws: `WireError` if they are others, or the elements are not what the body takes.
    package func run(
        _ captures: CapturesInWorker, _ input: inout WireReader, _ output: inout WireWriter,
        as body: RunningBody = RunningBody(), isCancelled: () -> Bool
    ) throws(WireError) {
        guard let synchronous else { preconditionFailure("an asynchronous body is run asynchronously") }
        ThrowSites.watch()
        defer { ThrowSites.unwatch() }
        body.enterThread()
        defer { body.leaveThread() }
        try synchronous.run(captures.values, &input, &output, as: body, isCancelled: isCancelled)
    }

    /// Runs a body that may suspend on the elements in `input`, all at once, and writes a ``BatchReply``.
    package func run(
        _ captures: CapturesInWorker, _ input: BatchInput, _ output: inout WireWriter,
        as body: RunningBody = RunningBody()
    ) async throws(WireError) {
        guard let asynchronous else { preconditionFailure("a synchronous body is run synchronously") }
        ThrowSites.watch()
        defer { ThrowSites.unwatch() }
        try await asynchronous.run(captures.values, input, &output, as: body)
    }
}

/// Captures as a worker keeps them, whatever their types.
package struct CapturesInWorker: Sendable {
    // In this order: what keeps the memory of large arrays goes after the arrays.
    fileprivate let values: any ReadableCaptures
    private let arrays: AdoptedArrays?

    /// No captures.
    package static let none = CapturesInWorker(values: Captures(), arrays: nil)

    private init(values: any ReadableCaptures, arrays: AdoptedArrays?) {
        self.values = values
        self.arrays = arrays
    }

    /// Reads captures whose types have the given name.
    ///
    /// - Parameter arrays: What the reader was made with, if anything.
    /// - Throws: `WireError` if there is no such type here or the bytes are not its.
    package init(
        typeName: String, from input: inout WireReader, adopting arrays: AdoptedArrays? = nil
    ) throws(WireError) {
        guard let type = _typeByName(typeName) as? any ReadableCaptures.Type else {
            throw input.invalid("no captures named \(typeName) in this program")
        }
        self.init(values: try type.read(from: &input), arrays: arrays)
        try input.expectEnd()
    }

    /// Reads the captures of one call, whose types are those that its body takes; what follows is the call's.
    ///
    /// - Parameter arrays: What the reader was made with, if anything.
    /// - Throws: `WireError` if the bytes are not theirs.
    package init(
        of function: ResolvedFunction, from input: inout WireReader, adopting arrays: AdoptedArrays? = nil
    ) throws(WireError) {
        self.init(values: try function.runner.readCaptures(from: &input), arrays: arrays)
    }
}
