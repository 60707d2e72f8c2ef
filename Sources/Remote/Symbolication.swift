import CPlatform
import Glibc
import Synchronization

/// Makes stack frames of return addresses of this process.
enum Symbolication {
    private struct Known {
        /// By return address.
        var frames: [UInt: StackFrame] = [:]
        /// By return addresses: errors that are thrown again and again come from few places.
        var stacks: [[UInt]: [StackFrame]] = [:]
    }

    private static let known = Mutex(Known())
    /// Most stacks and frames that are kept.
    private static let keptCount = 4096

    /// The functions that return addresses are in, without those of the runtime that throws and runs.
    static func frames(at addresses: [UInt]) -> [StackFrame] {
        if addresses.isEmpty { return [] }
        if let stack = known.withLock({ $0.stacks[addresses] }) { return stack }
        var frames = known.withLock { known in addresses.map { known.frames[$0] } }
        let missing = addresses.indices.filter { frames[$0] == nil }
        for (index, frame) in zip(missing, look(up: missing.map { addresses[$0] })) { frames[index] = frame }
        let all = frames.compactMap { $0 }
        var stack = all.drop { $0.isThrowing }.prefix { !$0.isRunning }.filter { !$0.isThunk }
        while stack.last?.isRunner == true { stack.removeLast() }
        let kept = stack
        known.withLock { known in
            if known.frames.count + all.count > keptCount { known.frames = [:] }
            if known.stacks.count >= keptCount { known.stacks = [:] }
            for (address, frame) in zip(addresses, all) { known.frames[address] = frame }
            known.stacks[addresses] = kept
        }
        return stack
    }

    private static func look(up addresses: [UInt]) -> [StackFrame] {
        // A call is before the place that it returns to, which may be the next function's.
        let places = addresses.map { CodeAddress(of: $0 &- 1) }
        var frames = [StackFrame](
            repeating: StackFrame(function: "", offset: 0, image: "?", address: 0), count: addresses.count)
        for image in Set(places.compactMap { $0?.image }) {
            let indices = places.indices.filter { places[$0]?.image == image }
            let offsets = indices.map { places[$0]?.offset ?? 0 }
            let name = image.isEmpty ? programName : String(image.split(separator: "/").last ?? "?")
            for (index, frame) in zip(indices, look(up: offsets, in: image, named: name)) { frames[index] = frame }
        }
        return frames
    }

    private static func look(up offsets: [UInt64], in image: String, named name: String) -> [StackFrame] {
        guard let file = SymbolFile(image.isEmpty ? "/proc/self/exe" : image) else {
            return offsets.map { StackFrame(function: "", offset: 0, image: name, address: $0) }
        }
        let addresses = offsets.map { $0 &+ file.firstAddress }
        return zip(addresses, file.functions(at: addresses)).map { address, function in
            guard let function else { return StackFrame(function: "", offset: 0, image: name, address: address) }
            return StackFrame(
                function: demangled(function.symbol), offset: Int(address - function.start), image: name,
                address: address)
        }
    }

    private static func demangled(_ symbol: String) -> String {
        guard let text = unsafe swift_demangle(symbol, symbol.utf8.count, nil, nil, 0) else { return symbol }
        defer { unsafe free(text) }
        // SAFETY: a C string of the runtime's, which is ours to free.
        return unsafe String(cString: text)
    }
}

extension StackFrame {
    /// Whether it is the runtime's, which is told of a throw.
    fileprivate var isThrowing: Bool { function.hasPrefix("swift_willThrow") }

    /// Whether it only hands its arguments on, in another form.
    fileprivate var isThunk: Bool { function.hasPrefix("reabstraction thunk") }

    /// Whether it is a runner's, which has called the body.
    fileprivate var isRunner: Bool { function.contains("Runner.run(") && function.contains("Remote.") }

    /// Whether it is the runtime's, which runs a task: what called it has nothing to do with the task.
    fileprivate var isRunning: Bool {
        image.hasPrefix("libswift_Concurrency") || function == "swift_job_run"
            || function.hasPrefix("_ZN5swift34runJobInEstablishedExecutorContext")
    }
}
