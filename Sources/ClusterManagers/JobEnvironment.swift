import Agent

extension JobRequest {
    /// Shell commands that take out of the environment what a job is not to have, for a command that hands all of it on.
    ///
    /// - Parameter prefixes: What names begin with that the command itself needs, and may have.
    func environmentFilter(keeping prefixes: [String] = []) -> String {
        let kept = exports.map(ShellWord.quoted) + prefixes.map { ShellWord.quoted($0) + "*" }
        return """
            for name in $(env | sed -n 's/^\\([A-Za-z_][A-Za-z0-9_]*\\)=.*/\\1/p'); do
                case $name in \((kept + ["''"]).joined(separator: " | ")) ) ;; *) command unset "$name" ;; esac
            done

            """
    }
}
