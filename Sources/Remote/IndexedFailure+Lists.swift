package import Wire

// Elements that fail mostly fail at the same place: a list has each stack once.
extension IndexedFailure {
    /// Writes the failures of a batch.
    package static func write(_ failures: [IndexedFailure], to output: inout WireWriter) {
        output.append(length: failures.count)
        guard !failures.isEmpty else { return }
        var stacks: [[StackFrame]] = []
        let numbers = failures.map { failure in
            // The last first; frames from the same place are the same array, which compares at once.
            if let index = stacks.lastIndex(of: failure.failure.stack) { return index }
            stacks.append(failure.failure.stack)
            return stacks.count - 1
        }
        output.write(stacks)
        for (failure, stack) in zip(failures, numbers) {
            output.write(failure.index, stack)
            failure.failure.write(withoutStackTo: &output, depth: 0)
        }
    }

    /// Reads the failures of a batch.
    @inline(never)
    package static func readAll(from input: inout WireReader) throws(WireError) -> [IndexedFailure] {
        let count = try input.readCount()
        guard count > 0 else { return [] }
        let stacks: [[StackFrame]] = try input.read()
        var failures: [IndexedFailure] = []
        for _ in 0..<count {
            let (index, stack): (Int, Int) = try input.read()
            guard stacks.indices.contains(stack) else { throw input.invalid("an error of no stack") }
            let failure = try RemoteFailure(withoutStackFrom: &input, stack: stacks[stack], depth: 0)
            failures.append(IndexedFailure(index: index, failure: failure))
        }
        return failures
    }
}
