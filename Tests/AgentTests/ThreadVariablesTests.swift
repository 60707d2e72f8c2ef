import Testing

@testable import Agent

@Suite("ThreadVariables")
struct ThreadVariablesTests {
    @Test("thread variables are set but for those that the user has")
    func threadVariables() {
        let values = ThreadVariables.values(threads: 4) { $0 == "OMP_NUM_THREADS" }
        #expect(values["OMP_NUM_THREADS"] == nil && values["MKL_NUM_THREADS"] == "4")
        #expect(values.count == ThreadVariables.names.count - 1)
        #expect(ThreadVariables.values(threads: 1) { _ in true }.isEmpty)
    }
}
