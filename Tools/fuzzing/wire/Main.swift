import Glibc

/// What libFuzzer calls with each input: the first byte picks a type, the rest is a message.
///
/// The address sanitizer finds reads out of bounds, libFuzzer's limits find what takes too much time or memory, and
/// `Check` traps where a value that was read doesn't survive another trip.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start = unsafe start, count > 0 else { return 0 }
    // SAFETY: libFuzzer gives `count` initialised bytes, which the array copies.
    let input = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    Check.all[Int(input[0]) % Check.all.count].run(Array(input.dropFirst()))
    return 0
}

/// What libFuzzer calls first: writes a seed for each type to the directory that `FUZZ_SEEDS` names.
///
/// The seeds are values rather than files, so that a change of the format changes them too.
@_cdecl("LLVMFuzzerInitialize")
public func writeSeeds(_ count: OpaquePointer?, _ arguments: OpaquePointer?) -> CInt {
    guard let directory = unsafe getenv("FUZZ_SEEDS") else { return 0 }
    for (index, check) in Check.all.enumerated() {
        guard let file = unsafe fopen("\(String(cString: directory))/\(index)", "wb") else { continue }
        let bytes = [UInt8(truncatingIfNeeded: index)] + check.seed
        _ = unsafe fwrite(bytes, 1, bytes.count, file)
        _ = unsafe fclose(file)
    }
    return 0
}
