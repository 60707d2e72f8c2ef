import Testing
import Wire

@testable import Remote

@Suite("BuildID")
struct BuildIDTests {
    private func note(_ name: [UInt8], _ type: UInt8, _ description: [UInt8]) -> [UInt8] {
        func padded(_ bytes: [UInt8]) -> [UInt8] { bytes + [UInt8](repeating: 0, count: (4 - bytes.count % 4) % 4) }
        func word(_ count: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) } }
        return word(name.count) + word(description.count) + [type, 0, 0, 0] + padded(name) + padded(description)
    }

    private let gnu = Array("GNU\0".utf8)

    @Test("the GNU note of type 3 is found behind others")
    func finds() {
        let notes =
            note(Array("Linux\0".utf8), 3, [9, 9]) + note(gnu, 1, [1, 2, 3, 4, 5]) + note(gnu, 3, [0xab, 0xcd, 0xef])
        #expect(BuildID.buildID(inNotes: notes) == [0xab, 0xcd, 0xef])
        #expect(BuildID.buildID(inNotes: note(gnu, 1, [1])) == nil)
        #expect(BuildID.buildID(inNotes: []) == nil)
    }

    @Test("notes cut off anywhere, or with any byte changed, are read or not, and never trap")
    func hostile() {
        let notes = note(gnu, 1, [1, 2, 3, 4, 5]) + note(gnu, 3, Array(0..<20))
        for count in 0..<notes.count { #expect(BuildID.buildID(inNotes: Array(notes[..<count]))?.count ?? 20 == 20) }
        for index in notes.indices {
            for value in [0, 1, 0x7f, 0x80, 0xff] as [UInt8] {
                var other = notes
                other[index] = value
                _ = BuildID.buildID(inNotes: other)
            }
        }
        _ = BuildID.buildID(inNotes: [UInt8](repeating: 0xff, count: 64))
        _ = BuildID.buildID(inNotes: [UInt8](repeating: 0, count: 64))
    }

    @Test("this program has one, always the same, printed as two digits a byte")
    func current() throws {
        #expect(BuildID.current.bytes.count >= 16)
        #expect(BuildID.current.description.count == 2 * BuildID.current.bytes.count)
        #expect(BuildID(bytes: [0, 0x0f, 0xff]).description == "000fff")
        #expect(try BuildID(wireBytes: BuildID.current.wireBytes()) == BuildID.current)
    }

    @Test("files are told apart by their digest; one that can't be read has none")
    func digests() {
        let (one, other) = (BuildID.digest(ofFile: "/proc/self/exe"), BuildID.digest(ofFile: "/etc/passwd"))
        #expect(one != other && one.bytes.count == 16)
        #expect(BuildID.digest(ofFile: "/no/such/file").bytes.isEmpty)
    }
}
