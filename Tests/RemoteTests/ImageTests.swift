import Testing

@testable import Remote

@Suite("Images and code addresses")
struct ImageTests {
    private let sample = """
        55d0c0000000-55d0c0010000 r--p 00000000 fe:01 131 /home/me/my program
        55d0c0010000-55d0c0050000 r-xp 00010000 fe:01 131 /home/me/my program
        55d0c0050000-55d0c0060000 rw-p 00000000 00:00 0 
        55d0c0060000-55d0c0070000 rw-p 00050000 fe:01 131 /home/me/my program
        55d0c1000000-55d0c1021000 rw-p 00000000 00:00 0 [heap]
        7f0000000000-7f0000100000 r-xp 00000000 fe:01 77 /usr/lib/libc.so.6
        7f0000100000-7f0000200000 r-xp 00000000 fe:01 78 /tmp/lib.so (deleted)
        7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0 [stack]
        nonsense
        12-zz r-xp 00000000 fe:01 77 /x
        20-10 r-xp 00000000 fe:01 77 /y

        """

    @Test("an image spans all its mappings; what is no file is none")
    func parsing() {
        let map = ImageMap(maps: sample)
        #expect(map.images.map(\.path) == ["/home/me/my program", "/usr/lib/libc.so.6", "/tmp/lib.so (deleted)"])
        #expect(map.images.first?.range == 0x55d0_c000_0000..<0x55d0_c007_0000)
        #expect(map.image(containing: 0x7f00_000f_ffff)?.path == "/usr/lib/libc.so.6")
        #expect(map.image(containing: 0x7f00_0010_0000)?.path == "/tmp/lib.so (deleted)")
        #expect(map.image(containing: 0x55d0_c100_0000) == nil)
        #expect(map.image(at: "/usr/lib/libc.so.6")?.range.lowerBound == 0x7f00_0000_0000)
    }

    @Test("any text is no more than a map without images", arguments: ["", "\n\n", "-", "1-2 r /", "-- - - - - /"])
    func nonsense(text: String) {
        #expect(ImageMap(maps: text).images.count <= 1)
    }

    @Test("the address of this program's code is found again, a heap address is none")
    func roundTrip() throws {
        let words = ClosureWords(ElementBody<Int, Int>({ $0 }))
        let address = try #require(CodeAddress(of: words.code))
        #expect(address.address == words.code)
        #expect(address.image.isEmpty, "the executable's own path is not sent")
        let object = Words()
        let heap = unsafe UInt(bitPattern: Unmanaged.passUnretained(object).toOpaque())
        #expect(CodeAddress(of: heap) == nil)
        #expect(CodeAddress(image: "/no/such/library", offset: 0).address == nil)
        #expect(CodeAddress(image: "", offset: 1 << 60).address == nil)
    }
}

private final class Words {}
