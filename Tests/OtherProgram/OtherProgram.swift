import Muster

/// Another program than `muster-test-program`, for workers that must be refused.
@main struct OtherProgram {
    static func main() async throws {
        try await withCluster(.local(1)) { _ in }
    }
}
