import Testing

@testable import Agent

@Suite("Start limits")
struct StartLimitTests {
    @Test("seconds, or a minute where nothing is said")
    func seconds() throws {
        #expect(try StartLimit.seconds(text: nil) == 60)
        #expect(try StartLimit.seconds(text: "120") == 120)
        #expect(try StartLimit.seconds(text: "0.5") == 0.5)
        #expect(try StartLimit.seconds(.seconds(3)) == 3)
    }

    @Test(
        "what is no time is refused, and said",
        arguments: ["", "soon", "0", "-1", "nan", "inf", "604801", "60s", " 60"])
    func nonsense(text: String) {
        let error = #expect(throws: LaunchError.self) { try StartLimit.seconds(text: text) }
        #expect(error?.description.hasPrefix("MUSTER_WORKER_TIMEOUT is \"\(text)\"") == true)
    }

    @Test("no time at all is refused too", arguments: [Duration.zero, .seconds(-1)])
    func none(limit: Duration) {
        #expect(throws: LaunchError.self) { try StartLimit.seconds(limit) }
    }
}
