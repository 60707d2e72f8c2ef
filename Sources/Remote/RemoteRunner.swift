package import Wire

/// Knows how to run a body of one form and types on a list of elements.
///
/// The name of the conforming type is what travels: it brings the element's, the result's and the captures' types along.
protocol RemoteRunner: SendableMetatype {
    /// The types of what goes there and comes back; captures are checked when they are written.
    static var types: [any Any.Type] { get }

    /// Reads the captures that the body takes.
    static func readCaptures(from input: inout WireReader) throws(WireError) -> any ReadableCaptures
}

/// Runs a body that does not suspend.
protocol SynchronousRunner: RemoteRunner {
    /// Reads elements, runs the body on one after the other, also after errors, and writes a ``BatchReply``; it
    /// is short if the call was cancelled.
    static func run(
        code: UInt, captures: (any ReadableCaptures)?, input: inout WireReader, output: inout WireWriter,
        isCancelled: () -> Bool) throws(WireError)
}

/// Runs a body that may suspend.
protocol AsynchronousRunner: RemoteRunner {
    /// Reads elements, runs the body on all at once, and returns a ``BatchReply``.
    static func run(code: UInt, captures: (any ReadableCaptures)?, input: [UInt8]) async throws(WireError) -> [UInt8]
}

/// What a worker answers to a batch: what failed, then the results of what did not, in the order of the elements.
///
/// The elements that a cancelled call did not come to are in neither.
package struct BatchReply<Output> {
    package let failures: [IndexedFailure]
    package let outputs: [Output]

    package init(failures: [IndexedFailure], outputs: [Output]) {
        self.failures = failures
        self.outputs = outputs
    }

    package func write(to output: inout WireWriter) {
        output.write(failures)
        ValueCoder<Output>().write(outputs[...], to: &output)
    }

    package init(from input: inout WireReader) throws(WireError) {
        failures = try input.read()
        outputs = try ValueCoder<Output>().read(from: &input)
        try input.expectEnd()
    }
}

/// The error of one element of a batch.
package struct IndexedFailure: Error, WireEncodable, WireDecodable {
    /// Place in the batch, from 0.
    package let index: Int
    package let failure: RemoteFailure

    init(index: Int, failure: RemoteFailure) {
        self.index = index
        self.failure = failure
    }

    package func write(to output: inout WireWriter) {
        output.write(index, failure)
    }

    package init(from input: inout WireReader) throws(WireError) {
        (index, failure) = try input.read()
    }
}

extension SynchronousRunner {
    /// The loop that all synchronous runners share.
    ///
    /// Nothing here is specialised: the types are known at run time only. So the captures come as a pack of their own
    /// (taking them out of a tuple asks for its metadata every time), and elements and results are addressed in place,
    /// which costs a few nanoseconds where iterators and `append` cost a hundred.
    static func runEach<Element, Output, each Capture>(
        _ elements: [Element], capturing captures: repeat each Capture, to output: inout WireWriter,
        isCancelled: () -> Bool, _ body: (Element, repeat each Capture) throws -> Output
    ) {
        var failures: [IndexedFailure] = []
        let outputs = unsafe elements.withUnsafeBufferPointer { elements in
            unsafe [Output](unsafeUninitializedCapacity: elements.count) { outputs, count in
                var index = 0
                while index < elements.count, !isCancelled() {
                    do {
                        // SAFETY: `count` is below the capacity, and the results before it are the initialised ones.
                        unsafe (outputs.baseAddress! + count).initialize(
                            to: try body(elements[index], repeat each captures))
                        count += 1
                    } catch {
                        failures.append(IndexedFailure(index: index, failure: RemoteFailure(error)))
                    }
                    index += 1
                }
            }
        }
        BatchReply(failures: failures, outputs: outputs).write(to: &output)
    }
}

extension AsynchronousRunner {
    /// The task group that all asynchronous runners share.
    static func runEach<Element: Sendable, Output: Sendable>(
        _ elements: [Element], _ body: @escaping @Sendable (Element) async throws -> Output
    ) async throws(WireError) -> [UInt8] {
        let results = await withTaskGroup(of: (Int, Result<Output, any Error>).self) { group in
            for (index, element) in elements.enumerated() {
                group.addTask {
                    do { return (index, .success(try await body(element))) } catch { return (index, .failure(error)) }
                }
            }
            var results = [Result<Output, any Error>?](repeating: nil, count: elements.count)
            for await (index, result) in group { results[index] = result }
            return results
        }
        var outputs: [Output] = []
        outputs.reserveCapacity(results.count)
        var failures: [IndexedFailure] = []
        for (index, result) in results.enumerated() {
            switch result {
            case .success(let value): outputs.append(value)
            case .failure(let error): failures.append(IndexedFailure(index: index, failure: RemoteFailure(error)))
            case nil: preconditionFailure("every task of the group has ended")
            }
        }
        var output = WireWriter()
        BatchReply(failures: failures, outputs: outputs).write(to: &output)
        return try output.finish()
    }

    static func read<Element>(_ input: [UInt8]) throws(WireError) -> [Element] {
        var reader = WireReader(input.span)
        let elements = try ValueCoder<Element>().read(from: &reader)
        try reader.expectEnd()
        return elements
    }
}
