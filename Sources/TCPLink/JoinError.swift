/// Why a process could not listen for others, or join.
package struct JoinError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kind of failure; compare it with the static members. New kinds may be added.
    package struct Code: Hashable, Sendable {
        private enum Kind { case unfitKey, badFile, cannotListen, notReached, notProven, refused }
        private let kind: Kind
        /// The key is too short or too long for what it is to be used for.
        package static let unfitKey = Code(kind: .unfitKey)
        /// A join file can't be written, read, or trusted.
        package static let badFile = Code(kind: .badFile)
        /// The address can't be listened on.
        package static let cannotListen = Code(kind: .cannotListen)
        /// Nobody answered at any of the addresses in time.
        package static let notReached = Code(kind: .notReached)
        /// The other side does not have the key, or it is not valid any more.
        package static let notProven = Code(kind: .notProven)
        /// The other side has the key, and refused: another build, protocol or role, or the launch is complete.
        package static let refused = Code(kind: .refused)
    }

    /// The kind of failure.
    package let code: Code
    /// What happened, where, and the cure if there is one.
    package let description: String

    /// Names a failure.
    package init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}
