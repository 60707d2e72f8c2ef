extension JobGuardian {
    /// What starts the line with which the guardian tells that the submit command has ended.
    static let submittedMark = "muster-guardian: submitted "
    /// The line behind what is for the command's standard input.
    static let inputEnd = "."

    /// The guardian's script for a POSIX shell.
    ///
    /// It submits, so that there is no moment at which the queue has a job and only a process knows of it that may be killed.
    /// Then it reads its standard input to the end: that comes when its driver lets go or has ended in any way. Then it removes
    /// the files, and ends the job.
    ///
    /// - Parameters:
    ///   - files: Paths that are of no use without the driver.
    ///   - hasInput: Whether its standard input starts with what is for the command's, up to ``inputEnd``. The shell alone has it,
    ///     until a builtin of its own writes it to the command.
    static func script(
        for submission: JobSubmission, identifierPattern: String, cancelCommand: [String], files: [String],
        hasInput: Bool = false
    ) -> String {
        func words(_ words: [String]) -> String { words.map(ShellWord.quoted).joined(separator: " ") }
        let command = words(submission.command)
        // What a terminal sends to the driver is not for it, and after the driver's end nobody reads what it prints.
        let prelude = """
            trap '' HUP INT QUIT TERM PIPE
            bound=
            command -v timeout >/dev/null && bound='timeout 60'
            """
        let removal = "rm -f -- \(words(files))"
        if submission.isAttached {
            let start = "(trap - HUP INT QUIT TERM PIPE; exec \(command) 3<&-) &"
            // Unset, since a variable that came with the environment would go on to the command in its own.
            let input = """
                unset input line
                while IFS= read -r line && [ "$line" != \(inputEnd) ]; do
                    input="$input$line
                "
                done <&3
                [ "$line" = \(inputEnd) ] || exit 1
                printf %s "$input" | \(start)
                unset input line
                """
            let cancelling = submission.jobName.map { cancellation(words(cancelCommand + [$0])) } ?? "exit 0"
            // PIPE ends the reader only as long as it reads, from its first moment on; then it has the time that it takes. Of what
            // other signals ended a shell speaks.
            return """
                \(prelude)
                exec 3<&0 </dev/null
                \(hasInput ? input : start)
                job=$!
                trap - PIPE
                {
                    while read -r _; do :; done
                    trap '' PIPE
                    \(removal)
                    kill -TERM "$job" 2>/dev/null
                    for pause in 0 1 1 1; do
                        sleep "$pause"
                        kill -0 "$job" || break
                    done 2>/dev/null
                    kill -KILL "$job" 2>/dev/null
                    \(cancelling)
                } <&3 3<&- &
                reader=$!
                trap '' PIPE
                wait "$job"
                status=$?
                kill -PIPE "$reader" 2>/dev/null
                wait "$reader" || exit "$status"

                """
        }
        // What failed may have reached the queue: where the answer was lost, say. Nobody knows its number then.
        let byName = submission.jobName.map { once(words(cancelCommand + [$0])) + "; " } ?? ""
        return """
            \(prelude)
            said=$(printf %s \(ShellWord.quoted(submission.script)) | \(command))
            status=$?
            printf '%s\\n' "$said" "\(submittedMark)$status"
            [ "$status" = 0 ] || { \(byName)exit "$status"; }
            id=$(printf '%s\\n' "$said" | sed -En \(ShellWord.quoted("s/^\(identifierPattern)$/\\1/p")) | tail -n 1)
            [ "$id" ] || { \(byName)exit 65; }
            while read -r _; do :; done
            \(removal)
            \(cancellation("\(words(cancelCommand)) \"$id\""))

            """
    }

    /// Shell commands that run one until it succeeds, and give up after some minutes.
    private static func cancellation(_ command: String) -> String {
        "for pause in 0 1 2 4 8 16 32 64 128 256; do sleep \"$pause\"; \(once(command)) && exit 0; done; exit 1"
    }

    /// Shell commands that run one, silently, and not for ever: it hears what ends it.
    private static func once(_ command: String) -> String {
        "(trap - HUP INT QUIT TERM PIPE; exec $bound \(command)) >/dev/null 2>&1"
    }
}
