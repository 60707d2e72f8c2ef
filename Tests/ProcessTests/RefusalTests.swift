import Foundation
import Testing

@Suite("Bodies that can't travel")
struct RefusalTests {
    @Test("bodies are refused at the call, with the place and the cure (debug)")
    func debug() async throws {
        try check(await drive("refusals"))
    }

    @Test("bodies are refused at the call, with the place and the cure (release)")
    func release() async throws {
        guard let path = ProcessInfo.processInfo.environment["MUSTER_TEST_PROGRAM_RELEASE"] else {
            print("skipped: no release test program (MUSTER_TEST_PROGRAM_RELEASE)")
            return
        }
        try check(await drive("refusals", executable: URL(filePath: path)))
    }

    private func check(_ run: DriverRun) throws {
        #expect(run.status == 0 && run.value("afterwards") == "works [1, 2]", "\(run)")
        for what in ["integer", "array", "in async", "in pair", "in call", "by RemoteFunction"] {
            let text = run.value("captured \(what)") ?? ""
            #expect(text.hasPrefix("refused captures muster_test_program/Refusals.swift:"), "\(what): \(run)")
            #expect(text.contains("`capturing: x`"), "\(what): \(run)")
        }
        let results = [
            "named function": "[2, 4]", "key path": #"["n"]"#, "stored closure": "[3, 6]", "generic wrapper": "[1, 2]",
        ]
        for (name, result) in results {
            let text = run.value(name) ?? ""
            #expect(text == "works \(result)" || isRefusedWithCure(text), "\(name): \(run)")
        }
        let initialiser = run.value("initialiser") ?? ""
        #expect(
            initialiser.hasPrefix(#"works [muster_test_program.Named(name: "n")]"#) || isRefusedWithCure(initialiser),
            "\(run)")
        for name in ["private element", "private result", "private capture", "private in tuple", "local type"] {
            let text = run.value(name) ?? ""
            #expect(text.hasPrefix("refused privateType muster_test_program/Refusals.swift:"), "\(name): \(run)")
            #expect(text.contains("Make it internal or public"), "\(name): \(run)")
        }
        for name in ["not codable", "not codable in tuple"] {
            let text = run.value(name) ?? ""
            #expect(text.hasPrefix("refused notCodable muster_test_program/Refusals.swift:"), "\(name): \(run)")
            #expect(text.contains("extension muster_test_program.Stubborn: WireCodable {}"), "\(name): \(run)")
        }
    }

    private func isRefusedWithCure(_ text: String) -> Bool {
        text.hasPrefix("refused captures muster_test_program/Refusals.swift:") && text.contains("write `{ f($0) }`")
    }
}
