import CPlatform
import Glibc

/// A thread of the operating system that lives as long as the process.
///
/// For work that must not wait for Swift's pool, which in a worker pinned to one CPU is a single thread.
package enum SystemThread {
    private final class Start {
        let name: String
        let body: @Sendable () -> Never
        init(name: String, body: @escaping @Sendable () -> Never) {
            self.name = name
            self.body = body
        }
    }

    /// Starts a thread that never ends.
    ///
    /// - Parameter name: At most 15 bytes; shown by `ps -L` and debuggers.
    package static func start(named name: String, _ body: @escaping @Sendable () -> Never) {
        var thread = pthread_t()
        let start = unsafe Unmanaged.passRetained(Start(name: name, body: body))
        // SAFETY: the reference handed over is taken once, by the new thread.
        let code = unsafe pthread_create(
            &thread, nil,
            { argument in
                guard let argument = unsafe argument else { fatalError("a thread starts with its body") }
                let start = unsafe Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                unsafe platform_name_thread(start.name)
                start.body()
            }, start.toOpaque())
        // Not a precondition, which says nothing in a release build.
        guard code == 0 else {
            fatalError("the system refused a thread (errno \(code)); raise the limit on processes (ulimit -u)")
        }
        pthread_detach(thread)
    }
}
