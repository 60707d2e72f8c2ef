extension JobGuardian {
    /// What starts the line with which the guardian tells that the submit command has ended.
    static let submittedMark = "muster-guardian: submitted "

    /// The guardian's script for a POSIX shell.
    ///
    /// It submits, so that there is no moment at which the queue has a job and only a process knows of it that may be killed.
    /// Then it reads its standard input to the end: that comes when its driver lets go or has ended in any way. Then it removes
    /// the files, and ends the job.
    ///
    /// - Parameter files: Paths that are of no use without the driver.
    static func script(
        for submission: JobSubmission, identifierPattern: String, cancelCommand: [String], files: [String]
    ) -> String {
        func words(_ words: [String]) -> String { words.map(ShellWord.quoted).joined(separator: " ") }
        let command = words(submission.command)
        // What a terminal sends to the driver is not for it, and after the driver's end nobody reads what it prints.
        let deafness = "trap '' HUP INT QUIT TERM PIPE"
        let removal = "rm -f -- \(words(files))"
        if submission.isAttached {
            return """
                \(deafness)
                exec 3<&0 </dev/null
                (trap - HUP INT QUIT TERM PIPE; exec \(command) 3<&-) &
                job=$!
                { while read -r _; do :; done; \(removal); kill -TERM "$job"; } <&3 &
                reader=$!
                wait "$job"
                status=$?
                kill -KILL "$reader"
                exit "$status"

                """
        }
        return """
            \(deafness)
            said=$(printf %s \(ShellWord.quoted(submission.script)) | \(command))
            status=$?
            printf '%s\\n' "$said" "\(submittedMark)$status"
            [ "$status" = 0 ] || exit "$status"
            id=$(printf '%s\\n' "$said" | sed -En \(ShellWord.quoted("s/^\(identifierPattern)$/\\1/p")) | tail -n 1)
            [ "$id" ] || exit 65
            while read -r _; do :; done
            \(removal)
            for pause in 0 1 2 4 8 16 32 64 128 256; do
                sleep "$pause"
                \(words(cancelCommand)) "$id" >/dev/null 2>&1 && exit 0
            done
            exit 1

            """
    }
}
