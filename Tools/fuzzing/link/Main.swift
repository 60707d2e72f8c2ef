import Glibc

/// What libFuzzer calls with each input: the first byte picks who reads it, the rest is what a stranger sends.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start = unsafe start, count > 0 else { return 0 }
    // SAFETY: libFuzzer gives `count` initialised bytes, which the array copies.
    let input = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    Reading.all[Int(input[0]) % Reading.all.count].run(Array(input.dropFirst()))
    return 0
}

/// What libFuzzer calls first: writes seeds for each reader to the directory that `FUZZ_SEEDS` names.
@_cdecl("LLVMFuzzerInitialize")
public func writeSeeds(_ count: OpaquePointer?, _ arguments: OpaquePointer?) -> CInt {
    guard let directory = unsafe getenv("FUZZ_SEEDS") else { return 0 }
    for (index, reading) in Reading.all.enumerated() {
        for (number, seed) in reading.seeds().enumerated() {
            let path = unsafe "\(String(cString: directory))/\(index)-\(number)"
            guard let file = unsafe fopen(path, "wb") else { continue }
            let bytes = [UInt8(truncatingIfNeeded: index)] + seed
            _ = unsafe fwrite(bytes, 1, bytes.count, file)
            _ = unsafe fclose(file)
        }
    }
    return 0
}
