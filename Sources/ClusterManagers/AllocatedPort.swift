/// What ssh tells of the port at which a tunnel's other end listens.
enum AllocatedPort {
    /// The port in a line of ssh's standard error, such as `Allocated port 43121 for remote forward to 127.0.0.1:5000`.
    ///
    /// Source: OpenSSH, `ssh_confirm_remote_forward` in ssh.c, and `mux_client_forward` in mux.c; lines end with CR LF.
    ///
    /// - Parameter target: The port on this host: a shared connection may tell of other tunnels too.
    static func port(in line: some StringProtocol, to target: Int) -> Int? {
        let words = line.split { $0 == " " || $0.isNewline }
        guard words.count == 8, words[0] == "Allocated", words[1] == "port",
            words[3...6] == ["for", "remote", "forward", "to"],
            words[7].hasSuffix(":\(target)"), words[2].utf8.allSatisfy({ (48...57).contains($0) }),
            let port = Int(words[2]), (1...65_535).contains(port)
        else { return nil }
        return port
    }
}
