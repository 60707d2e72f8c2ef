import Synchronization
package import Wire

/// What a worker needs to find a body: where its code is, and the type that knows how to run it.
package struct FunctionReference: Hashable, Sendable {
    /// Number of the body in the driver; a worker is told the rest once and then knows it by this.
    package let id: UInt64
    /// Where the code is.
    package let code: CodeAddress
    /// Mangled name of the runner's type.
    package let runner: String
    /// Whether the body may suspend.
    package let isAsynchronous: Bool

    private struct Key: Hashable {
        let code: UInt
        let runner: ObjectIdentifier
    }

    /// Naming a type and finding it again takes microseconds, so it is done once for each place in the program.
    private static let known = Mutex<[Key: FunctionReference]>([:])

    /// Names a body.
    ///
    /// - Throws: ``BodyError`` if it captured something, or a type it uses can't travel.
    static func refer(
        to words: ClosureWords, runner: any RemoteRunner.Type, file: String, line: Int
    ) throws(BodyError) -> FunctionReference {
        guard words.context == 0 else { throw .captures(file: file, line: line) }
        let key = Key(code: words.code, runner: ObjectIdentifier(runner))
        if let found = known.withLock({ $0[key] }) { return found }
        for type in runner.types { try checkTravels(type, file: file, line: line) }
        let name = try travellingName(of: runner, file: file, line: line)
        guard let code = CodeAddress(of: words.code) else { throw .foreignCode(file: file, line: line) }
        return known.withLock { known in
            if let found = known[key] { return found }
            let reference = FunctionReference(
                id: UInt64(known.count + 1), code: code, runner: name,
                isAsynchronous: runner is any AsynchronousRunner.Type)
            known[key] = reference
            return reference
        }
    }

    private init(id: UInt64, code: CodeAddress, runner: String, isAsynchronous: Bool) {
        self.id = id
        self.code = code
        self.runner = runner
        self.isAsynchronous = isAsynchronous
    }
}

/// Checks that values of a type can go to another process.
///
/// - Throws: ``BodyError`` if they can't.
package func checkTravels(_ type: any Any.Type, file: String, line: Int) throws(BodyError) {
    _ = try travellingName(of: type, file: file, line: line)
    if let name = TravellingType.of(type).refusedName { throw .notCodable(name, file: file, line: line) }
}

extension FunctionReference: WireEncodable, WireDecodable {
    package func write(to output: inout WireWriter) {
        output.write(id, code.image, code.offset, runner, isAsynchronous)
    }

    package init(from input: inout WireReader) throws(WireError) {
        let image: String
        let offset: UInt64
        (id, image, offset, runner, isAsynchronous) = try input.read()
        code = CodeAddress(image: image, offset: offset)
    }
}
