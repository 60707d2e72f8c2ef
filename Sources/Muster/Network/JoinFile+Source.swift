#if Network
    import Agent
    import Glibc
    import TCPLink

    extension JoinFile {
        /// Reads what a process is to join with.
        static func read(_ source: JoinSource) throws -> JoinFile {
            switch source {
            case .file(let path): return try read(from: path)
            case .secret(let path): return try read(secret: path)
            case .descriptor(let number):
                defer {
                    close(number)
                    // What is opened next is not to become the standard input of workers.
                    if number == STDIN_FILENO { _ = unsafe open("/dev/null", O_RDONLY) }
                }
                return try read(descriptor: number, within: StartLimit.seconds())
            }
        }
    }
#endif
