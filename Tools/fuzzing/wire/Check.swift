/// One type that bytes are read as, and what must hold if that succeeds.
struct Check: Sendable {
    /// A message that is such a value.
    let seed: [UInt8]
    /// Reads bytes; traps if something that must hold does not.
    let run: @Sendable ([UInt8]) -> Void

    private init(seed: [UInt8], run: @escaping @Sendable ([UInt8]) -> Void) {
        (self.seed, self.run) = (seed, run)
    }

    /// A type whose values are written in one way only: the second trip gives the same bytes.
    static func sameBytes<T: WireCodable & SendableMetatype>(_ sample: T) -> Check {
        trip(sample) { first, second in first == second }
    }

    /// A type without an order of its own: the second trip gives an equal value, unless NaN is in it.
    static func equal<T: WireCodable & Equatable & SendableMetatype>(_ sample: T) -> Check {
        trip(sample) { first, second in
            guard let one = try? T(wireBytes: first), let two = try? T(wireBytes: second) else { return false }
            if one == two { return true }
            // NaN: another copy is unequal too. (A collection is always equal to itself.)
            let copy = try? T(wireBytes: first)
            return one != copy
        }
    }

    /// A value behind the header of stored bytes.
    static func stored<T: WireCodable & SendableMetatype>(_ sample: T) -> Check {
        Check(seed: (try? sample.storedBytes()) ?? []) { bytes in
            guard let value = try? T(storedBytes: bytes) else { return }
            let again = try? T(storedBytes: value.storedBytes())
            guard again != nil else { fatalError("what was stored can't be read again: \(T.self)") }
        }
    }

    private static func trip<T: WireCodable & SendableMetatype>(
        _ sample: T, agree: @escaping @Sendable ([UInt8], [UInt8]) -> Bool
    ) -> Check {
        Check(seed: (try? sample.wireBytes()) ?? []) { bytes in
            let value: T
            do throws(WireError) {
                value = try T(wireBytes: bytes)
            } catch {
                guard error.offset >= 0, error.offset <= bytes.count else {
                    fatalError("an error outside the message: \(T.self): \(error)")
                }
                return
            }
            do {
                let first = try value.wireBytes()
                let second = try T(wireBytes: first).wireBytes()
                guard agree(first, second) else { fatalError("another value after a second trip: \(T.self)") }
            } catch {
                fatalError("what was read can't be written and read again: \(T.self): \(error)")
            }
        }
    }
}
