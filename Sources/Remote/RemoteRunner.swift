import CPlatform
package import Wire

/// A body of one form and types, ready to run on batches of elements.
///
/// The name of the conforming type is what travels: it brings the element's, the result's and the captures' types along.
/// An object of it is made once for many batches, because types are known at run time only, and to look one up takes as
/// long as to run many a body.
protocol RemoteRunner: AnyObject, Sendable {
    /// The types of all that goes there and comes back.
    static var types: [any Any.Type] { get }

    /// A body whose code lies at `code`.
    init(code: UInt)

    /// Reads the captures that the body takes.
    func readCaptures(from input: inout WireReader) throws(WireError) -> any ReadableCaptures
}

/// Runs a body that does not suspend.
protocol SynchronousRunner: RemoteRunner {
    /// Reads elements, runs the body on one after the other, also after errors, and writes a ``BatchReply``; it
    /// is short if the call was cancelled.
    func run(
        _ captures: any ReadableCaptures, _ input: inout WireReader, _ output: inout WireWriter, as body: RunningBody,
        isCancelled: () -> Bool) throws(WireError)
}

/// Runs a body that may suspend.
protocol AsynchronousRunner: RemoteRunner {
    /// Reads elements, runs the body on all at once, and writes a ``BatchReply``.
    func run(
        _ captures: any ReadableCaptures, _ input: BatchInput, _ output: inout WireWriter, as body: RunningBody
    ) async throws(WireError)
}

/// The elements of a batch as they came: a part of a message, which an asynchronous body keeps.
package struct BatchInput: Sendable {
    private let bytes: [UInt8]
    private let offset: Int
    private let blocks: [SharedArray<UInt8>]
    /// What it refers to: kept as long as it may be read.
    private let attachments: WireAttachments

    /// - Parameters:
    ///   - bytes: The message.
    ///   - offset: Where in it the batch starts.
    ///   - blocks: The arrays beside it.
    package init(
        _ bytes: [UInt8], from offset: Int = 0, blocks: [SharedArray<UInt8>] = [],
        attachments: WireAttachments = WireAttachments()
    ) {
        self.bytes = bytes
        self.offset = offset
        self.blocks = blocks
        self.attachments = attachments
    }

    /// What is left of a message.
    package init(rest input: inout WireReader) {
        self.init(input.rest.copyBytes(), blocks: input.restOfBlocks, attachments: input.attachments)
    }

    /// Reads a ``BatchReply`` of one result, or one failure; nothing if it is empty.
    @inline(never)
    package func readOne<Output>() throws(WireError) -> (Output?, IndexedFailure?) {
        // SAFETY: every byte of a span of `UInt8` is initialised.
        var reader = WireReader(unsafe bytes.span.bytes, from: offset, blocks: blocks.span)
        // One that failed has no results: then it is a list of none, or an empty one.
        let peek = reader
        if (try? reader.readCount()) == 0 || bytes.isEmpty {
            reader = peek
            let reply = try BatchReply<Output>(from: &reader)
            return (reply.outputs.first, reply.failures.first)
        }
        reader = peek
        let output = try ValueCoder<Output>().readOne(from: &reader)
        let failures = try IndexedFailure.readAll(from: &reader)
        try reader.expectEnd()
        return (output, failures.first)
    }

    /// Reads the batch.
    package borrowing func read<R>(
        _ body: (inout WireReader) throws(WireError) -> R
    ) throws(WireError) -> R {
        // SAFETY: every byte of a span of `UInt8` is initialised.
        var reader = WireReader(unsafe bytes.span.bytes, from: offset, blocks: blocks.span)
        return try body(&reader)
    }
}

/// What a worker answers to a batch: the results of what did not fail in the order of the elements, then what did.
///
/// The elements that a cancelled call did not come to are in neither.
package struct BatchReply<Output> {
    package let outputs: [Output]
    package let failures: [IndexedFailure]

    package init(outputs: [Output], failures: [IndexedFailure] = []) {
        self.outputs = outputs
        self.failures = failures
    }

    package func write(to output: inout WireWriter) {
        ValueCoder<Output>().write(outputs[...], to: &output)
        IndexedFailure.write(failures, to: &output)
    }

    package init(from input: inout WireReader) throws(WireError) {
        outputs = try ValueCoder<Output>().read(from: &input)
        failures = try IndexedFailure.readAll(from: &input)
        try input.expectEnd()
    }
}

extension WireWriter {
    /// Appends the one element of a body that takes none.
    package mutating func writeCall() { write(UInt64(1)) }
}

/// The error of one element of a batch.
package struct IndexedFailure: Error, Sendable {
    /// Place in the batch, from 0.
    package let index: Int
    package let failure: RemoteFailure

    init(index: Int, failure: RemoteFailure) {
        self.index = index
        self.failure = failure
    }
}

extension SynchronousRunner {
    /// The loop that all synchronous runners share.
    ///
    /// Nothing here is specialised: the types are known at run time only. So the captures come as a pack of their own
    /// (taking them out of a tuple asks for its metadata every time), and elements and results are addressed in place,
    /// which costs a few nanoseconds where iterators and `append` cost a hundred.
    static func runEach<Element, Output, each Capture>(
        _ inputs: ValueCoder<Element>, _ outputs: ValueCoder<Output>, _ input: inout WireReader,
        _ output: inout WireWriter, as running: RunningBody, capturing captures: repeat each Capture,
        isCancelled: () -> Bool, _ body: (Element, repeat each Capture) throws -> Output
    ) throws(WireError) {
        var failures: [IndexedFailure] = []
        try unsafe inputs.read(from: &input) { elements in
            unsafe outputs.write(atMost: elements.count, to: &output) { results in
                var (index, count) = (0, 0)
                // Not by a function of ours: what is called here from now on is the bodies' part of the stack.
                platform_begin_noted_stack()
                defer { platform_end_noted_stack() }
                while index < elements.count, !isCancelled() {
                    running.begin(element: index)
                    do {
                        // SAFETY: there is room for as many results as there are elements, and `count` of them are made.
                        try unsafe (results + count).initialize(
                            to: body(elements[index], repeat each captures))
                        count += 1
                    } catch {
                        failures.append(IndexedFailure(index: index, failure: RemoteFailure(error)))
                    }
                    index += 1
                }
                return count
            }
        }
        try input.expectEnd()
        IndexedFailure.write(failures, to: &output)
    }
}

extension AsynchronousRunner {
    /// The task group that all asynchronous runners share.
    static func runEach<Element: Sendable, Output: Sendable>(
        _ elements: [Element], _ outputs: ValueCoder<Output>, _ output: inout WireWriter, as running: RunningBody,
        _ body: @escaping @Sendable (Element) async throws -> Output
    ) async {
        let results = await withTaskGroup(of: (Int, Result<Output, RemoteFailure>).self) { group in
            for (index, element) in elements.enumerated() {
                group.addTask {
                    do {
                        let output = try await RunningBody.$ofTask.withValue(running.body(ofElement: index)) {
                            try await body(element)
                        }
                        return (index, .success(output))
                    } catch {
                        // At once: where it was thrown is not remembered for long.
                        return (index, .failure(RemoteFailure(error)))
                    }
                }
            }
            var results = [Result<Output, RemoteFailure>?](repeating: nil, count: elements.count)
            for await (index, result) in group { results[index] = result }
            return results
        }
        var values: [Output] = []
        values.reserveCapacity(results.count)
        var failures: [IndexedFailure] = []
        for (index, result) in results.enumerated() {
            switch result {
            case .success(let value): values.append(value)
            case .failure(let failure): failures.append(IndexedFailure(index: index, failure: failure))
            case nil: preconditionFailure("every task of the group has ended")
            }
        }
        outputs.write(values[...], to: &output)
        IndexedFailure.write(failures, to: &output)
    }

    static func read<Element>(_ input: BatchInput, _ elements: ValueCoder<Element>) throws(WireError) -> [Element] {
        try input.read { reader throws(WireError) in
            let values = try elements.read(from: &reader)
            try reader.expectEnd()
            return values
        }
    }
}
