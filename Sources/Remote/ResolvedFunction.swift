package import Wire

/// A body as a worker holds it, ready to run.
package struct ResolvedFunction: Sendable {
    private let code: UInt
    fileprivate let runner: any RemoteRunner.Type

    /// Finds the body in this process.
    ///
    /// - Throws: `WireError` if the code or the type is not here: the driver is another program.
    package init(_ reference: FunctionReference) throws(WireError) {
        guard let code = reference.code.address else {
            let image = reference.code.image.isEmpty ? "the executable" : reference.code.image
            throw WireError(
                code: .invalidValue, offset: 0, detail: "no code at \(reference.code.offset) of \(image)")
        }
        guard let runner = _typeByName(reference.runner) as? any RemoteRunner.Type else {
            throw WireError(code: .invalidValue, offset: 0, detail: "no type \(reference.runner) in this program")
        }
        self.code = code
        self.runner = runner
    }

    /// Whether the body may suspend.
    package var isAsynchronous: Bool { runner is any AsynchronousRunner.Type }

    /// Runs a body that does not suspend on the elements in `input`; returns a ``BatchReply``'s bytes.
    package func run(
        _ input: [UInt8], _ captures: CapturesInWorker?, isCancelled: () -> Bool
    ) throws(WireError) -> [UInt8] {
        guard let runner = runner as? any SynchronousRunner.Type else {
            preconditionFailure("an asynchronous body is run asynchronously")
        }
        var reader = WireReader(input.span)
        var output = WireWriter()
        try runner.run(
            code: code, captures: captures?.values ?? Captures(), input: &reader, output: &output,
            isCancelled: isCancelled)
        return try output.finish()
    }

    /// Runs a body that may suspend on the elements in `input`, all at once; returns a ``BatchReply``'s bytes.
    package func run(_ input: [UInt8], _ captures: CapturesInWorker?) async throws(WireError) -> [UInt8] {
        guard let runner = runner as? any AsynchronousRunner.Type else {
            return try run(input, captures) { Task.isCancelled }
        }
        return try await runner.run(code: code, captures: captures?.values ?? Captures(), input: input)
    }
}

/// Captures as a worker keeps them, whatever their types.
package struct CapturesInWorker: Sendable {
    fileprivate let values: any ReadableCaptures

    /// Reads captures whose types have the given name.
    ///
    /// - Throws: `WireError` if there is no such type here or the bytes are not its.
    package init(typeName: String, from input: inout WireReader) throws(WireError) {
        guard let type = _typeByName(typeName) as? any ReadableCaptures.Type else {
            throw input.invalid("no captures named \(typeName) in this program")
        }
        values = try type.read(from: &input)
        try input.expectEnd()
    }

    /// Reads the captures of one call, whose types are those that its body takes.
    ///
    /// - Throws: `WireError` if the bytes are not theirs.
    package init(of function: ResolvedFunction, from input: inout WireReader) throws(WireError) {
        values = try function.runner.readCaptures(from: &input)
        try input.expectEnd()
    }
}
