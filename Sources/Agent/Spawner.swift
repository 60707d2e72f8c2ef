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
    var watch: CInt
    /// What could not be had (a memory policy that the container forbids), in words.
    var warnings: [String] = []
    /// The memory policy that was set for it; `nil` if none was.
    var memory: MemoryPolicy?
    /// What it was bound to in truth, the moment before it became its program; `nil` if the system does not tell.
    var binding: Binding?
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
            // Before the first child's place is taken on, or that would pass for the usual one.
            _ = (Spawner.usualMask, Spawner.usualPolicy)
            while true { jobs.take()() }
        }
    }

    /// Calls `job` on the spawner's thread.
    func perform(_ job: @escaping @Sendable () -> Void) {
        jobs.put(job)
    }

    /// Starts a worker; called on the spawner's thread.
    ///
    /// - Parameter descriptors: Owned by the caller; number n becomes the child's descriptor n.
    static func start(
        _ launch: WorkerLaunch, descriptors: [CInt], link: CInt
    ) throws(SpawnError) -> SpawnedProcess {
        let (memory, warnings) = try settle(cpus: launch.placement?.cpus, memory: launch.memory)
        do throws(SpawnFailure) {
            var path = CStringList()
            path.append(launch.path)
            var spawned = try start(
                path, launch.arguments, launch.environment(link: link, parent: getpid()),
                directory: launch.directory, descriptors: descriptors, group: 0,
                deathSignal: platform_group_end_signal())
            (spawned.memory, spawned.warnings) = (memory, warnings)
            return spawned
        } catch {
            throw SpawnError(launch, error)
        }
    }

    /// Starts a program that is no worker; called on the spawner's thread.
    static func start(_ launch: ProgramLaunch) throws(SpawnError) -> SpawnedProcess {
        let (memory, warnings) = try settle(cpus: launch.placement?.cpus, memory: launch.memory)
        var spawned = try launch.startHere()
        (spawned.memory, spawned.warnings) = (memory, warnings)
        return spawned
    }

    private static let usualMask = inheritedAffinity.isEmpty ? nil : inheritedAffinity
    private static let usualPolicy = try? MemoryPolicy.ofCurrentThread()

    /// Puts this thread where the child shall be; returns the policy that was asked for as far as the kernel has it, and
    /// what could not be had.
    private static func settle(
        cpus: CPUSet?, memory: MemoryPolicy?
    ) throws(SpawnError) -> (MemoryPolicy?, warnings: [String]) {
        if let cpus = cpus ?? usualMask {
            do { try bindCurrentThread(to: cpus) } catch { throw SpawnError(description: "\(error)") }
        }
        do {
            if let memory { return (try memory.setBestForCurrentThread(), []) }
            try usualPolicy?.setForCurrentThread()
            return (nil, [])
        } catch {
            guard memory != nil else { return (nil, []) }
            try? usualPolicy?.setForCurrentThread()
            return (nil, ["\(error)"])
        }
    }

    /// Starts a process from the calling thread: it inherits that thread's mask and policy, and ends with that thread.
    ///
    /// - Parameter executable: One string, the path of the program.
    static func start(
        _ executable: borrowing CStringList, _ arguments: borrowing CStringList, _ environment: borrowing CStringList,
        directory: String?, descriptors: [CInt], group: pid_t, deathSignal: CInt = SIGKILL
    ) throws(SpawnFailure) -> SpawnedProcess {
        var process: pid_t = 0
        var watch: CInt = -1
        var step: CInt = 0
        var mask = [UInt64](repeating: 0, count: 256)
        var nodes = [UInt](repeating: 0, count: 1024 / UInt.bitWidth)
        var reality = unsafe platform_binding()
        let code = unsafe arguments.withPointers { arguments in
            unsafe environment.withPointers { environment in
                unsafe descriptors.withUnsafeBufferPointer { descriptors in
                    unsafe executable.withPointers { executable in
                        unsafe withOptionalCString(directory) { directory in
                            unsafe withBinding(&reality, &mask, &nodes) { reality in
                                var request = unsafe platform_spawn_request(
                                    executable: executable[0], arguments: arguments, environment: environment,
                                    directory: directory, descriptors: descriptors.baseAddress,
                                    descriptor_count: descriptors.count, parent_death_signal: deathSignal, group: group,
                                    open_file_limit: OpenFiles.softLimitOfPrograms ?? 0, binding: reality)
                                return unsafe platform_spawn(&request, &process, &watch, &step)
                            }
                        }
                    }
                }
            }
        }
        guard code == 0 else { throw SpawnFailure(step: platform_spawn_step(UInt32(step)), errno: code) }
        guard unsafe reality.mask_error == 0 else { return SpawnedProcess(process: process, watch: watch) }
        let memory = unsafe reality.policy_error == 0 ? (mode: reality.policy, nodes: nodes) : nil
        return SpawnedProcess(process: process, watch: watch, binding: Binding(mask: mask, memory: memory))
    }

    /// Gives `body` a place where the child can write what it is bound to.
    private static func withBinding<R>(
        _ binding: inout platform_binding, _ mask: inout [UInt64], _ nodes: inout [UInt],
        _ body: (UnsafeMutablePointer<platform_binding>) -> R
    ) -> R {
        // SAFETY: the pointers outlive the call of `body`, during which the child writes no more than the sizes say.
        unsafe mask.withUnsafeMutableBytes { mask in
            unsafe nodes.withUnsafeMutableBytes { nodes in
                unsafe (binding.mask, binding.mask_size) = (mask.baseAddress, mask.count)
                unsafe (binding.nodes, binding.nodes_size) = (nodes.baseAddress, nodes.count)
                return unsafe withUnsafeMutablePointer(to: &binding) { unsafe body($0) }
            }
        }
    }
}

/// Which step of starting a process failed, and why.
struct SpawnFailure: Error {
    let step: platform_spawn_step
    let errno: CInt

    /// The system's words for it.
    var reason: String { unsafe String(cString: strerror(errno)) }
}

private func withOptionalCString<R>(_ string: String?, _ body: (UnsafePointer<CChar>?) -> R) -> R {
    guard let string else { return body(nil) }
    return unsafe string.withCString { unsafe body($0) }
}

extension SpawnError {
    init(_ launch: WorkerLaunch, _ failure: SpawnFailure) {
        let reason = failure.reason
        switch failure.step {
        case platform_spawn_directory:
            description = "cannot start a worker in \(launch.directory ?? "."): \(reason); give a directory that exists"
        case platform_spawn_execute:
            description = "cannot run \(launch.executable ?? "this program again"): \(reason)"
        case platform_spawn_descriptors:
            description = "cannot give a worker its descriptors: \(reason); raise the limit on open files (ulimit -n)"
        case platform_spawn_watch:
            description = "cannot watch a worker: \(reason); Linux 5.3 or newer is needed (pidfd)"
        default:
            description = "cannot start another process: \(reason); raise the limits on processes and memory"
        }
    }
}
