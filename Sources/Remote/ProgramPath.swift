/// Where this program's file is.
package enum ProgramPath {
    /// Its absolute path, as the kernel knows it; nil where there is no /proc, or the file is gone.
    package static var current: String? {
        let path = linkTarget("/proc/self/exe")
        return path.isEmpty || path.hasSuffix(" (deleted)") ? nil : path
    }
}
