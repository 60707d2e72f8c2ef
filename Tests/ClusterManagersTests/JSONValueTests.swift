import ClusterManagers
import Foundation
import Testing

@Suite("JSONValue")
struct JSONValueTests {
    @Test("its text says the same to Foundation")
    func text() throws {
        let value: JSONValue = [
            "b": [1, -2, 0.5, true, false, nil, "é\u{1}\u{7f}\"\\\n/"], "a": ["nested": [:], "empty": []],
        ]
        let read = try JSONSerialization.jsonObject(with: Data(value.text.utf8)) as? NSDictionary
        let expected: NSDictionary = [
            "b": [1, -2, 0.5, true, false, NSNull(), "é\u{1}\u{7f}\"\\\n/"],
            "a": ["nested": NSDictionary(), "empty": NSArray()],
        ]
        #expect(read == expected)
        // The same each time, so that a submission can be compared.
        #expect(
            value.text.hasPrefix(
                #"{"a":{"empty":[],"nested":{}},"b":[1,-2,0.5,true,false,null,"é\u0001\u007f\"\\\u000a/"#))
        #expect(JSONValue.number(.infinity).text == "null")
    }

    @Test("what is not there reads as null, and is made when it is set")
    func places() {
        var value: JSONValue = ["spec": ["containers": [["name": "a"]]]]
        #expect(value["spec"]["containers"][0]["name"] == "a")
        #expect(value["spec"]["containers"][7]["name"] == nil && value["x"]["y"][0] == .null)
        value["spec"]["containers"][0]["resources"]["limits"]["gpu"] = 1
        value["spec"]["containers"][2] = "c"
        value["spec"]["volumes"].append("v")
        value["spec"]["containers"][0]["name"] = nil
        #expect(
            value == [
                "spec": [
                    "containers": [["resources": ["limits": ["gpu": 1]]], nil, "c"], "volumes": ["v"],
                ]
            ])
    }
}
