extension SSHFailure {
    /// What a failed run most likely means: made of its status and words alone.
    struct Diagnosis: Hashable, Sendable {
        /// What is wrong, in words; `nil` where ssh's own say it.
        var problem: String?
        /// What helps.
        var cure: String?

        init(_ step: Step, _ host: SSHHost, status: Int32?, error: String) {
            if case .staging(.stop(let reason, let detail)?, let machine) = step {
                (problem, cure) = Diagnosis.stop(reason, detail, error, machine: machine)
                return
            }
            let destination = host.words
            let isSilent = error.allSatisfy(\.isWhitespace)
            let lines = status == 255 ? Diagnosis.ofConnection(destination) : []
            let known = lines + Diagnosis.ofProgram(step) + Diagnosis.ofShell
            if let match = known.first(where: { $0.words.contains { error.contains($0) } }) {
                cure = match.cure
                return
            }
            switch (status, step) {
            case (126, _):
                cure = "the program may not be run there: chmod it, or put it where programs may run (no noexec mount)"
            case (127, _):
                cure = Diagnosis.missingProgram(step)
            case (137, _):
                cure = "something there ended it, perhaps for lack of memory: see dmesg on the host"
            case (0, .staging), (1, .staging), (2, .staging):
                cure = """
                    the host's shell did not run the script: see whether `ssh \(destination) uname` prints one line; if the \
                    login shell is csh or cmd.exe, say so as shell
                    """
            case (0, .agent):
                cure = """
                    the program ended before its first withCluster there: it gets this one's arguments, and has to get \
                    there without a terminal or input, and without files that the host does not have
                    """
                if case .agent(_, isStaged: false) = step { cure? += "; \(Diagnosis.wrongProgram)" }
            case (let status?, .agent(_, isStaged: false)) where isSilent && (1..<126).contains(status):
                cure = Diagnosis.wrongProgram
            case (255, _):
                cure = "see what `ssh -v \(destination) true` says"
            default:
                break
            }
        }

        private static let wrongProgram =
            "executable has to be this program, the same build, that reaches withCluster"

        private static func missingProgram(_ step: Step) -> String {
            if case .agent(_, isStaged: false) = step {
                return "put the program there under that path, give its path there as executable, or set stage: true"
            }
            return "the program there, or a tool of its shell, is missing: see what is said above"
        }

        private struct Known {
            let words: [String]
            let cure: String
            init(_ words: String..., cure: String) { (self.words, self.cure) = (words, cure) }
        }

        /// Source: OpenSSH 9: ssh.c, sshconnect.c, sshconnect2.c, packet.c, readconf.c, mux.c, and the C library's errors.
        private static func ofConnection(_ host: String) -> [Known] {
            [
                Known(
                    "REMOTE HOST IDENTIFICATION HAS CHANGED",
                    cure:
                        "if the host was set up anew, forget its old key with `ssh-keygen -R`; else somebody may be between"
                ),
                Known(
                    "Host key verification failed",
                    cure: """
                        log in once by hand with `ssh \(host)` and accept its key, or let ssh do so with \
                        sshFlags: ["-o", "StrictHostKeyChecking=accept-new"]
                        """),
                Known(
                    "Too many authentication failures",
                    cure: """
                        ssh-agent offers too many keys: name the right one with \
                        sshFlags: ["-i", "KEY", "-o", "IdentitiesOnly=yes"]
                        """),
                Known(
                    "UNPROTECTED PRIVATE KEY FILE", cure: "chmod 600 the key"),
                Known(
                    "Permission denied (",
                    cure: """
                        `ssh -o BatchMode=yes \(host) true` has to work: put a key there with ssh-copy-id, have it in \
                        ssh-agent if it has a passphrase, and see that user and key are the right ones
                        """),
                Known(
                    "Could not resolve hostname",
                    cure: "see whether the name is spelled right, and whether this host's DNS or ~/.ssh/config knows it"
                ),
                Known(
                    "Connection refused",
                    cure: "no SSH server listens there: start sshd on the host, or give its port as host:port"),
                Known(
                    "Connection timed out", "Operation timed out",
                    cure: "the host is off, or a firewall keeps this one out; where hosts are slow, raise startLimit"),
                Known(
                    "No route to host", "Network is unreachable",
                    cure: "the network does not lead there: is the host on, or behind a jump host (ProxyJump)?"),
                Known(
                    "kex_exchange_identification", "Connection reset by", "Connection closed by",
                    "Exceeded MaxStartups",
                    cure: """
                        the server took no more connections, or none from here: lower maxParallel or set multiplex: true, \
                        and see MaxStartups of its sshd_config, and its log
                        """),
                Known(
                    "remote port forwarding failed", "administratively prohibited",
                    cure:
                        "the server allows no tunnel (AllowTcpForwarding in its sshd_config), or the port is taken there"
                ),
                Known(
                    "too long for Unix domain socket", "ControlPath too long",
                    cure: "give a shorter path, or set multiplex: false"),
                Known(
                    "Bad configuration option", "Bad owner or permissions on", "terminating, ",
                    cure: "mend ssh's configuration here"),
                Known(
                    "no matching host key type", "no matching key exchange method", "no matching cipher",
                    cure: "client and server share no method: one of them is too old for the other"),
                Known(
                    "session request failed", "Session open refused by peer",
                    cure:
                        "the server takes no more sessions on one connection: see MaxSessions, or set multiplex: false"),
            ]
        }

        /// Source: ld.so(8), and the kernel's errors as dash, bash, busybox and env word them.
        private static func ofProgram(_ step: Step) -> [Known] {
            [
                Known(
                    "it is not an address of this host", "Cannot assign requested address", "it is no numeric address",
                    "it is good on one cable only",
                    cure: "give an address of that host behind its name, such as \"node1 10.0.0.9\""),
                Known(
                    "can't join the driver",
                    cure: """
                        see whether the host can reach this one; if it can't, set tunnel: true, or give an address of this \
                        host that it can reach as address
                        """),
                Known(
                    "version `GLIBC",
                    cure: """
                        the host's C library is older than the one here: build on the oldest system of all, or with \
                        `--swift-sdk` for static Linux
                        """),
                Known(
                    "error while loading shared libraries",
                    cure: """
                        build with --static-swift-stdlib, and install the library that is named, or the same \
                        distribution, on the host
                        """),
                Known(
                    "Exec format error", "cannot execute binary file", "cannot execute: required file not found",
                    cure: "the program is for another kind of machine; all workers and the driver run the same build"),
                Known(
                    "can't cd to", "cd: ", "The system cannot find the path specified",
                    cure: "give a directory that the host has as directory, or leave it out"),
                Known(
                    "Disk quota exceeded", "No space left on device", cure: "make room there"),
                Known(
                    "This account is currently not available", "nologin",
                    cure: "the user may not log in there: use another one"),
            ]
        }

        private static let ofShell = [
            Known(
                "Ambiguous output redirect", "Illegal variable name", "Missing name for redirect", "Event not found",
                cure: "the login shell there is csh or tcsh: set shell: .csh"),
            Known(
                "is not recognized as an internal or external command", "was unexpected at this time",
                cure: "the login shell there is cmd.exe: set shell: .windowsCmd"),
        ]

        /// What the staging script ended with.
        private static func stop(
            _ reason: String, _ detail: String, _ error: String, machine: String
        ) -> (problem: String, cure: String?) {
            let leaveOut = "or bring the program there yourself: stage: false, and its path as executable"
            switch reason {
            case "machine":
                return (
                    "it is a machine of kind \(detail), but this program is for \(machine)",
                    """
                    all workers and the driver run the same build: start the driver on a machine of that kind, or leave \
                    this host out
                    """
                )
            case "home":
                return (
                    "the user has no home directory there (HOME is not set)", "set XDG_CACHE_HOME there, \(leaveOut)"
                )
            case "owner":
                return ("\(detail) there is not the user's own", "remove it, \(leaveOut)")
            case "run":
                return (
                    "programs can't be run from \(detail) there",
                    "set XDG_CACHE_HOME there to a directory that is not mounted noexec, \(leaveOut)"
                )
            case "size", "sum":
                return (
                    "the copy there is damaged (\(reason) \(detail))", "try again; see whether the connection holds"
                )
            case "input":
                return ("the connection ended before the program was there", "try again")
            case "write":
                let cure =
                    if error.contains("No space left on device") || error.contains("Disk quota exceeded") {
                        "make room there, or set XDG_CACHE_HOME there to a directory that has some"
                    } else if error.contains("Read-only file system") || error.contains("Permission denied") {
                        "set XDG_CACHE_HOME there to a directory that can be written, \(leaveOut)"
                    } else {
                        "see what is said above, \(leaveOut)"
                    }
                return ("nothing can be written to \(detail) there", cure)
            default:
                return ("\(reason) \(detail)", nil)
            }
        }
    }
}
