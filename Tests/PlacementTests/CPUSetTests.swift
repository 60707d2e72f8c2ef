import Placement
import Testing

@Suite("CPU set")
struct CPUSetTests {
    @Test(
        "a list is read and printed as Linux writes it",
        arguments: [
            ("0-3,8,10-11", [0, 1, 2, 3, 8, 10, 11], "0-3,8,10-11"),
            ("", [], ""),
            (" 5 \n", [5], "5"),
            ("3,1,2", [1, 2, 3], "1-3"),
            ("7,7,6-7", [6, 7], "6-7"),
            ("63-64,127", [63, 64, 127], "63-64,127"),
            ("1023-1025,8191", [1023, 1024, 1025, 8191], "1023-1025,8191"),
        ])
    func lists(text: String, cpus: [Int], printed: String) throws {
        let set = try CPUSet(parsing: text)
        #expect(Array(set) == cpus)
        #expect(set.description == printed)
        #expect(set == CPUSet(cpus.reversed()))
    }

    @Test("a list keeps its order where that is asked for")
    func order() throws {
        #expect(try CPUSet.list(parsing: "8,2-3,8") == [8, 2, 3, 8])
    }

    @Test(
        "a bad piece is named",
        arguments: [
            ("1,x,3", "x"), ("1,,3", ""), ("1,", ""), ("3-1", "3-1"), ("1-", "1-"), ("-1", "-1"), ("+1", "+1"),
            ("1-2-3", "1-2-3"), ("0-99999999999", "0-99999999999"),
            ("99999999999999999999999", "99999999999999999999999"),
            ("0x3", "0x3"), ("1048576", "1048576"), ("1;2", "1;2"), ("٣", "٣"),
        ])
    func badPieces(text: String, piece: String) {
        let error = #expect(throws: CPUListError.self) { try CPUSet(parsing: text) }
        #expect(error?.piece == piece)
        #expect(error?.description.contains("'\(piece)' in a list of CPUs") == true)
        #expect(throws: CPUListError.self) { try CPUSet.list(parsing: text) }
    }

    @Test("a list longer than any machine is refused, not kept")
    func longList() {
        let text = Array(repeating: "0-1048575", count: 3).joined(separator: ",")
        #expect(throws: CPUListError.self) { try CPUSet.list(parsing: text) }
    }

    @Test("sets combine as sets do", arguments: [([1, 2, 3], [3, 4]), ([], [900]), ([64, 2000], [2000]), ([5], [])])
    func algebra(one: [Int], other: [Int]) {
        let (a, b) = (CPUSet(one), CPUSet(other))
        #expect(Array(a.union(b)) == Set(one).union(other).sorted())
        #expect(Array(a.intersection(b)) == Set(one).intersection(other).sorted())
        #expect(Array(a.subtracting(b)) == Set(one).subtracting(other).sorted())
        #expect(a.isDisjoint(with: b) == Set(one).isDisjoint(with: other))
        #expect(a.isSubset(of: b) == Set(one).isSubset(of: other))
        #expect(b.isSubset(of: a) == Set(other).isSubset(of: one))
        #expect(a.count == one.count && a.isEmpty == one.isEmpty)
        #expect(a.min == one.min() && a.max == one.max())
        #expect(one.allSatisfy(a.contains) && !a.contains(-1) && !a.contains(.max))
    }

    @Test("sets with the same CPUs are equal whatever they held before")
    func equality() {
        #expect(CPUSet([1, 5000]).subtracting([5000]) == [1])
        #expect(CPUSet([1, 5000]).intersection([1]).hashValue == ([1] as CPUSet).hashValue)
        #expect(CPUSet([5000]).subtracting([5000]) == [])
    }

    @Test("a negative CPU is a programmer error")
    func negative() async {
        await #expect(processExitsWith: .failure) { _ = CPUSet([-1]) }
    }
}
