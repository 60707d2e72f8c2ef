import Testing

@testable import Machine

@Suite("XML scanner")
struct XMLScannerTests {
    @Test(
        "what is well-formed passes",
        arguments: [
            "", "no tags", "<a/>", "<a></a>", "<a b=\"1\" c-d=\"\"><!-- <b> --><e f=\"'>\"/></a>",
            "<?xml version=\"1.0\"?>\n<!DOCTYPE a SYSTEM \"a.dtd\">\n<a>\n  text\n</a\n>\n",
            "<object cpuset=\"0x1\" complete_cpuset=\"0x1\"/>",
        ])
    func wellFormed(text: String) throws {
        try XMLScanner.check(Array(text.utf8))
    }

    @Test(
        "what is not is told with its line",
        arguments: [
            ("<a>\n<b>\n</a>", 3, "</a> closes another tag"), ("<a>\n", 2, "<a> is not closed"),
            ("</a>", 1, "</a> closes another tag"), ("<a b=\"1>\n<c/>", 2, "an attribute has no closing quote"),
            ("<a b=1/>", 1, "an attribute is malformed"), ("<a b=\"1\"c\"2\"/>", 1, "an attribute is malformed"),
            ("\n\n<", 3, "a name is missing"), ("<a /b>", 1, "an attribute is malformed"),
            ("<!-- x", 1, "--> is missing"),
            ("<a></a b>", 1, "a closing tag has no end"),
            ("<object\ncpuset=\"0x1\"/>", 2, "an object has no complete_cpuset"),
        ])
    func malformed(text: String, line: Int, problem: String) {
        let error = #expect(throws: XMLScanner.Failure.self) { try XMLScanner.check(Array(text.utf8)) }
        #expect(error?.line == line && error?.problem == problem)
    }
}
