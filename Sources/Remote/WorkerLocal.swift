/// A value that each process of a cluster has for itself: a model that was loaded, a connection, a buffer. It never travels.
///
/// ```swift
/// let model = WorkerLocal<Model>("model")                          // a global, or a static
///
/// try await cluster.define(model, capturing: path) { path in try Model(contentsOf: path) }   // on all processes
/// let scores = try await cluster.pmap(texts) { text in try model.get().score(text) }
/// try await cluster.clear(model)
/// ```
///
/// What Julia does with globals and `@everywhere`. A value that all processes can compute by themselves when they first need it is simply a
/// global of the program.
public struct WorkerLocal<Value: Sendable>: Sendable {
    /// What it is known by: locals of one name are the same.
    public let name: String

    /// Names a value that is not defined yet.
    ///
    /// - Parameter name: The place where this is written, unless told.
    public init(_ name: String? = nil, file: String = #fileID, line: Int = #line) {
        self.name = name ?? "\(file):\(line)"
    }

    /// This process's value; `nil` where it was not defined, or was cleared.
    public var value: Value? { ProcessState.current?.local(name) as? Value }

    /// This process's value.
    ///
    /// - Throws: ``ReferenceError/Code/unknown`` where it was not defined, or was cleared, or is of another type.
    public func get() throws(ReferenceError) -> Value {
        guard let value else {
            throw ReferenceError(
                .unknown,
                """
                \(name) is not defined on worker \(Worker.id), or is no \(Value.self); `cluster.define` defines it, with \
                `includingLater: true` also for workers that join later
                """)
        }
        return value
    }

    /// Gives this process another value; the others keep theirs.
    ///
    /// - Throws: ``ReferenceError/Code/refused`` outside of any cluster.
    public func set(_ value: Value) throws(ReferenceError) {
        guard let process = ProcessState.current else {
            throw ReferenceError(.refused, "\(name) is set outside of a cluster")
        }
        process.set(name, to: value)
    }
}
