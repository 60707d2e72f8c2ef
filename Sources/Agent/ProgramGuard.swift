import CPlatform
import Glibc
package import SharedMemoryLink

/// Sees to it that programs and all they started end with this process, however it ends.
///
/// Another process, which has nothing else to do. The parent-death signal alone would reach only the programs
/// themselves, and not what they started.
package struct ProgramGuard: Sendable {
    private let process: platform_guard

    /// Starts the guard.
    ///
    /// - Parameter capacity: The largest number of programs that it has to know at a time.
    package init(capacity: Int) throws(SystemError) {
        var started = platform_guard()
        let code = unsafe platform_start_guard(CInt(capacity), &started)
        guard code == 0 else { throw SystemError("start a process that guards the programs", errno: code) }
        process = started
    }

    /// Guards a program, which leads a group of its own.
    package func add(_ program: RunningProgram) {
        tell(program.process)
    }

    /// Lets go of a program that was collected.
    package func remove(_ program: RunningProgram) {
        tell(-program.process)
    }

    /// Ends the programs that are left, and the guard.
    package func end() {
        var process = process
        unsafe platform_end_guard(&process)
    }

    private func tell(_ group: CInt) {
        var process = process
        unsafe platform_tell_guard(&process, group)
    }
}
