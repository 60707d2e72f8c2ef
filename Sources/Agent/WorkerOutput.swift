import CPlatform
import Glibc
import SharedMemoryLink
import Synchronization

/// What a worker prints, on its way to the driver's own output.
///
/// Until the worker has reached its first `withCluster` the output is held back: it is what the program prints at its
/// start, once more for each worker.
final class WorkerOutput: Sendable {
    /// Takes a line without its end, the number of the worker, and which stream it came from (`STDOUT_FILENO`, `STDERR_FILENO`).
    ///
    /// Called on a thread of its own, which it may block.
    typealias Sink = @Sendable (_ line: [UInt8], _ worker: Int, _ stream: CInt) -> Void

    /// Printing may block (a full pipe, a slow terminal), so it has a poller of its own.
    private static let poller = Poller(named: "muster-output")

    /// Most bytes that Linux lets a pipe of an ordinary user hold.
    private static let largestPipe = 1 << 20

    private struct State {
        var id: Int?
        var isFinished = false
        var streams: [Stream]
    }

    private struct Stream {
        let reading: CInt
        let destination: CInt
        var lines = LineSplitter()
        var tail = Tail()
        var token: Poller.Token?
    }

    private let state: Mutex<State>
    private let sink: Sink

    /// Takes over the reading ends of the worker's standard output and standard error.
    ///
    /// - Parameter sink: Where lines go; to this process's own output unless told.
    init(output: consuming Descriptor, error: consuming Descriptor, to sink: @escaping Sink = WorkerOutput.print) {
        self.sink = sink
        state = Mutex(
            State(streams: [
                Stream(reading: output.release(), destination: STDOUT_FILENO),
                Stream(reading: error.release(), destination: STDERR_FILENO),
            ]))
        state.withLock { state in
            for index in state.streams.indices {
                state.streams[index].token = try? WorkerOutput.poller.watch(
                    state.streams[index].reading, for: .readable
                ) { [self] _ in read(index, all: false) }
            }
        }
    }

    /// Drops what was held back, and prints from now on under the worker's number; then calls `completion`.
    func goLive(as id: Int, completion: @escaping @Sendable () -> Void) {
        WorkerOutput.poller.perform { [self] in
            for index in 0..<2 { read(index, all: true) }
            state.withLock { state in
                state.id = id
                for index in state.streams.indices {
                    state.streams[index].lines = LineSplitter()
                    state.streams[index].tail.clear()
                }
            }
            completion()
        }
    }

    /// Reads what the ended worker left, stops watching, and calls `completion` with the tails of its output and error.
    func finish(completion: @escaping @Sendable (_ output: String, _ error: String) -> Void) {
        WorkerOutput.poller.perform { [self] in
            for index in 0..<2 { read(index, all: true) }
            let (output, error) = state.withLock { state in
                state.isFinished = true
                for index in state.streams.indices {
                    let (id, destination) = (state.id, state.streams[index].destination)
                    state.streams[index].lines.finish { line in id.map { sink(line, $0, destination) } }
                    if let token = state.streams[index].token.take() {
                        WorkerOutput.poller.remove(token, state.streams[index].reading)
                    }
                    close(state.streams[index].reading)
                }
                return (state.streams[0].tail.text, state.streams[1].tail.text)
            }
            completion(output, error)
        }
    }

    /// Reads from one stream: a piece, or all that is there. Runs on the poller's thread only.
    private func read(_ index: Int, all: Bool) {
        state.withLock { state in
            guard !state.isFinished else { return }
            let (id, stream) = (state.id, state.streams[index])
            var chunk = [UInt8](repeating: 0, count: 1 << 15)
            // "All" is what was there, at most a pipe's capacity: a process that the worker left may go on writing.
            for _ in 0..<(all ? WorkerOutput.largestPipe / chunk.count : 1) {
                let count = unsafe Glibc.read(stream.reading, &chunk, chunk.count)
                if count < 0, errno == EINTR { continue }
                if count == 0, let token = state.streams[index].token.take() {
                    WorkerOutput.poller.remove(token, stream.reading)  // ended: do not report it for ever
                }
                guard count > 0 else { break }
                state.streams[index].tail.add(chunk[..<count])
                if let id {
                    state.streams[index].lines.add(chunk[..<count]) { sink($0, id, stream.destination) }
                }
            }
            if stream.destination == STDOUT_FILENO, id != nil { platform_flush_output() }
        }
    }

    /// Prints a line on this process's own output.
    @Sendable static func print(_ line: [UInt8], from id: Int, to destination: CInt) {
        let text = Array("From worker \(id): ".utf8) + line + [UInt8(ascii: "\n")]
        // Through the C streams, so that lines do not land inside what the driver prints itself.
        unsafe platform_print(destination, text, text.count)
    }
}
