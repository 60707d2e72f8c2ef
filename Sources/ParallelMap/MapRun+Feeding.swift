import Transport

// How elements come that are not all there.
extension MapRun {
    /// Seconds that elements are read for before those that came are given out.
    private static let patience = 0.001

    /// Supplies elements in a task of their own, which nobody waits for: where the next element is long in coming, the map
    /// may be over before. It is cancelled then.
    func feedInTask(_ feed: @escaping @Sendable () async throws -> Void) {
        let feeding = Task {
            do { try await feed() } catch { cancel(error) }
        }
        whenOver { feeding.cancel() }
    }

    /// Supplies all elements of a sequence as they are wanted.
    func feed<Elements: Sequence>(
        _ elements: Elements, into input: ArrivingInput<Elements.Element>, limit: Int?
    ) async {
        var iterator = elements.makeIterator()
        await feed(from: &iterator, into: input, limit: limit)
    }

    /// Supplies all elements that an iterator gives as they are wanted: at a time as many as are wanted, or come within a
    /// millisecond.
    nonisolated(nonsending) func feed<Elements: IteratorProtocol>(
        from iterator: inout Elements, into input: ArrivingInput<Elements.Element>, limit: Int?
    ) async {
        while case let wanted = await appetite(limit: limit), wanted > 0 {
            var elements: [Elements.Element] = []
            let end = monotonicSeconds() + MapRun.patience
            var isAtEnd = false
            while elements.count < wanted {
                guard let element = iterator.next() else {
                    isAtEnd = true
                    break
                }
                elements.append(element)
                if monotonicSeconds() > end { break }
            }
            let count = elements.count
            input.append(elements)
            supply(count)
            if isAtEnd { return supplyEnds() }
        }
    }

    /// Supplies all elements of an asynchronous sequence as they are wanted: each as it comes.
    func feed<Elements: AsyncSequence>(
        arriving elements: Elements, into input: ArrivingInput<Elements.Element>, limit: Int?
    ) async throws where Elements.Element: Sendable {
        var iterator = elements.makeAsyncIterator()
        while case let wanted = await appetite(limit: limit), wanted > 0 {
            for _ in 0..<wanted {
                guard let element = try await iterator.next(isolation: nil) else { return supplyEnds() }
                input.append([element])
                supply(1)
            }
        }
    }
}
