import CPlatform
import Glibc

/// Tells the user something on standard error, in one line.
package func notice(_ text: String) {
    let line = Array("muster: \(text)\n".utf8)
    unsafe platform_print(STDERR_FILENO, line, line.count)
}
