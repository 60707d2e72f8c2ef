import CPlatform
import Glibc
import Machine
import Placement
import SharedMemoryLink

/// Why a worker could not be started.
package struct SpawnError: Error, Sendable, CustomStringConvertible {
    package let description: String
}

/// A process that was started.
struct SpawnedProcess: Sendable {
    let process: pid_t
    /// A pidfd, which the receiver owns.
    let watch: CInt
    /// What could not be had (a memory policy that the container forbids), in words.
    let warnings: [String]
}

/// The one thread that starts processes, and lives as long as this one.
///
/// It takes on the mask and the memory policy that the child shall have, so that the child has both before it
/// allocates anything; and since it never ends, the parent-death signal, which follows the parent's *thread*, means
/// that the process has ended.
final class Spawner: Sendable {
    static let shared = Spawner()

    private let jobs = Mailbox<@Sendable () -> Void>()

    private init() {
        SystemThread.start(named: "muster-spawner") { [jobs] in
            while true { jobs.take()() }
        }
    }

    /// Starts a process; `completion` is called on the spawner's thread.
    ///
    /// - Parameter descriptors: Owned by the caller until the completion; number n becomes the child's descriptor n.
    func spawn(
        _ launch: WorkerLaunch, descriptors: [CInt], role: String?,
        completion: @escaping @Sendable (Result<SpawnedProcess, SpawnError>) -> Void
    ) {
        jobs.put { completion(Spawner.spawn(launch, descriptors, role ?? "")) }
    }

    private static let usualMask = try? affinity()
    private static let usualPolicy = try? MemoryPolicy.ofCurrentThread()

    private static func spawn(
        _ launch: WorkerLaunch, _ descriptors: [CInt], _ role: String
    ) -> Result<SpawnedProcess, SpawnError> {
        var warnings: [String] = []
        if let cpus = launch.placement?.cpus ?? usualMask {
            do { try bindCurrentThread(to: cpus) } catch { return .failure(SpawnError(description: "\(error)")) }
        }
        if let policy = launch.memory ?? usualPolicy {
            do {
                try policy.setForCurrentThread()
            } catch {
                if launch.memory != nil { warnings.append("\(error)") }
            }
        }
        let arguments = launch.arguments
        let environment = launch.environment(role: role)
        var process: pid_t = 0
        var watch: CInt = -1
        var step: CInt = 0
        let code = unsafe arguments.withPointers { arguments in
            unsafe environment.withPointers { environment in
                unsafe descriptors.withUnsafeBufferPointer { descriptors in
                    unsafe (launch.executable ?? "/proc/self/exe").withCString { executable in
                        unsafe withOptionalCString(launch.directory) { directory in
                            var request = unsafe platform_spawn_request(
                                executable: executable, arguments: arguments, environment: environment,
                                directory: directory, descriptors: descriptors.baseAddress,
                                descriptor_count: descriptors.count, parent_death_signal: SIGKILL)
                            return unsafe platform_spawn(&request, &process, &watch, &step)
                        }
                    }
                }
            }
        }
        guard code == 0 else { return .failure(SpawnError(launch, step: step, code: code)) }
        return .success(SpawnedProcess(process: process, watch: watch, warnings: warnings))
    }
}

private func withOptionalCString<R>(_ string: String?, _ body: (UnsafePointer<CChar>?) -> R) -> R {
    guard let string else { return body(nil) }
    return unsafe string.withCString { unsafe body($0) }
}

extension SpawnError {
    init(_ launch: WorkerLaunch, step: CInt, code: CInt) {
        let reason = unsafe String(cString: strerror(code))
        switch UInt32(step) {
        case platform_spawn_directory.rawValue:
            description = "cannot start a worker in \(launch.directory ?? "."): \(reason); give a directory that exists"
        case platform_spawn_execute.rawValue:
            description = "cannot run \(launch.executable ?? "this program again"): \(reason)"
        case platform_spawn_descriptors.rawValue:
            description = "cannot give a worker its descriptors: \(reason); raise the limit on open files (ulimit -n)"
        case platform_spawn_watch.rawValue:
            description = "cannot watch a worker: \(reason); Linux 5.3 or newer is needed (pidfd)"
        default:
            description = "cannot start another process: \(reason); raise the limits on processes and memory"
        }
    }
}
