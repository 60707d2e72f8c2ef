/// Applies a body to every element in this process, several at a time, and returns the results in the order of the elements.
///
/// ```swift
/// let pages = try await asyncMap(urls, tasks: 20) { try await download($0) }
/// ```
///
/// Julia's `asyncmap`: for bodies that wait rather than compute, such as those that call workers themselves. Elements are
/// read as tasks become free for them.
///
/// - Parameters:
///   - tasks: Most elements at a time, at least 1; 100 unless told.
///   - body: Runs in a task of its own for each element.
/// - Throws: The first error that a body threw, after the others that had begun were cancelled and have ended.
public nonisolated(nonsending) func asyncMap<Elements: Sequence, Output: Sendable>(
    _ elements: Elements, tasks: Int = 100, _ body: @escaping @Sendable (Elements.Element) async throws -> Output
) async throws -> [Output] where Elements.Element: Sendable {
    precondition(tasks >= 1, "nothing is done in no task")
    var iterator = elements.makeIterator()
    var outputs: [Output?] = []
    try await withThrowingTaskGroup(of: (Int, Output).self) { group in
        var free = tasks
        while true {
            while free > 0, !group.isCancelled, let element = iterator.next() {
                let index = outputs.count
                outputs.append(nil)
                group.addTask { (index, try await body(element)) }
                free -= 1
            }
            guard let (index, output) = try await group.next() else { break }
            outputs[index] = output
            free += 1
        }
        try Task.checkCancellation()
    }
    return outputs.map { output in
        guard let output else { preconditionFailure("every element's task has ended") }
        return output
    }
}
