package import Wire

/// The bodies and captures that a worker was told of, by their numbers; or why they can't be had.
package struct KnownBodies: Sendable {
    private var functions: [UInt64: Result<ResolvedFunction, WireError>] = [:]
    private var captures: [UInt64: Result<CapturesInWorker, WireError>] = [:]
    /// The function that was used last: most are used many times in a row.
    private var last: (id: UInt64, function: ResolvedFunction)?

    package init() {}

    /// Takes note of a body.
    ///
    /// - Throws: `WireError` if what is there is no reference to one. A body that can't be found is told when it is used.
    package mutating func defineFunction(from input: inout WireReader) throws(WireError) {
        let reference: FunctionReference = try input.read()
        do throws(WireError) {
            functions[reference.id] = .success(try ResolvedFunction(reference))
        } catch {
            functions[reference.id] = .failure(error)
        }
    }

    /// Takes note of captures, which are read here; why they can't be is told when they are used.
    ///
    /// - Parameter arrays: What the reader was made with, if anything.
    package mutating func defineCaptures(
        _ id: UInt64, typeName: String, from input: inout WireReader, adopting arrays: AdoptedArrays? = nil
    ) {
        do throws(WireError) {
            captures[id] = .success(try CapturesInWorker(typeName: typeName, from: &input, adopting: arrays))
        } catch {
            captures[id] = .failure(error)
        }
    }

    /// The same for captures whose bytes are the first of a message's blocks.
    ///
    /// - Throws: `WireError` if there is no block.
    package mutating func defineCaptures(
        _ id: UInt64, typeName: String, apartIn blocks: [SharedArray<UInt8>], adopting arrays: AdoptedArrays
    ) throws(WireError) {
        guard let bytes = blocks.first else {
            throw WireError(code: .invalidBlock, offset: 0, detail: "captures apart from a message without blocks")
        }
        let rest = Array(blocks.dropFirst())
        // SAFETY: every byte of a span of `UInt8` is initialised.
        var reader = WireReader(unsafe bytes.span.bytes, from: 0, blocks: rest.span, adopting: arrays)
        defineCaptures(id, typeName: typeName, from: &reader, adopting: arrays)
    }

    /// Drops captures.
    package mutating func forgetCaptures(_ id: UInt64) {
        captures[id] = nil
        AdoptedArrays.dropUnusedLeftovers()
    }

    /// A body by its number.
    package mutating func function(_ id: UInt64) throws(WireError) -> ResolvedFunction {
        if let last, last.id == id { return last.function }
        guard let known = functions[id] else {
            throw WireError(code: .invalidValue, offset: 0, detail: "body \(id) was not defined")
        }
        let function = try known.get()
        last = (id, function)
        return function
    }

    /// Captures by their number; none for no number.
    package func captures(_ id: UInt64?) throws(WireError) -> CapturesInWorker {
        guard let id else { return .none }
        guard let known = captures[id] else {
            throw WireError(code: .invalidValue, offset: 0, detail: "captures \(id) were not defined")
        }
        return try known.get()
    }
}
