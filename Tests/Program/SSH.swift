import Glibc
import Muster

/// `CONFIG CHOICES HOST…`: the client's configuration, and words with commas between that change the options.
private struct SSHArguments {
    var options = SSHOptions()
    var address = NetworkAddress.automatic
    let hosts: [String]

    init(_ arguments: [String]) {
        let choices = arguments[1].split(separator: ",")
        options.sshFlags = ["-F", arguments[0]]
        options.tunnel = choices.contains("tunnel")
        options.multiplex = choices.contains("multiplex")
        options.stage = !choices.contains("unstaged")
        if choices.contains("csh") { options.shell = .csh }
        if choices.contains("loopback") { address = .loopback }
        if choices.contains("nowhere") { options.directory = "/nowhere/at all" }
        if choices.contains("elsewhere") { options.executable = "/nowhere/program" }
        if let command = choices.first(where: { $0.hasPrefix("command=") }) {
            options.sshCommand = String(command.dropFirst(8))
        }
        if choices.contains("options") {
            options.directory = "/usr"
            options.executableFlags = ["--colour", "äöü"]
        }
        if choices.contains("one") { options.maxParallel = 1 }
        if choices.contains("false") { options.executable = "/bin/false" }
        // So that the test finds what is left there.
        options.environment = ["GREETING": "it's 100% \\!"]
        if let token = unsafe getenv("MUSTER_TEST_TOKEN") {
            options.environment["MUSTER_TEST_TOKEN"] = unsafe String(cString: token)
        }
        hosts = Array(arguments.dropFirst(2))
    }

    var manager: SSHManager { .ssh(hosts, address: address, options: options) }
}

let ssh: [String: Program.Scenario] = [
    "ssh": { arguments in
        let ssh = SSHArguments(arguments)
        try await withCluster(ssh.manager) { cluster in
            say("workers", cluster.workers.count)
            let squares = try await cluster.pmap(1...10) { $0 * $0 }
            say("squares", squares)
            var hosts: [String] = []
            var cpus: [String] = []
            for id in cluster.workers {
                hosts.append(try await cluster.remoteCallFetch(on: id) { hostName() })
                cpus.append(try await cluster.remoteCallFetch(on: id) { status("Cpus_allowed_list") })
            }
            say("hosts", hosts.sorted().joined(separator: ","))
            say("cpus", cpus)
            let greeting = try await cluster.remoteCallFetch(on: .any) {
                unsafe getenv("GREETING").map { unsafe String(cString: $0) } ?? "none"
            }
            say("greeting", greeting)
            let input = try await cluster.remoteCallFetch(on: .any) {
                CommandLine.arguments.dropFirst(3).joined(separator: "|")
            }
            say("arguments", input)
            say("directory", try await cluster.remoteCallFetch(on: .any) { target(of: "/proc/self/cwd") })
        }
    },
    "ssh-wait": { arguments in
        try await withCluster(SSHArguments(arguments).manager) { cluster in
            say("ready", cluster.workers.count)
            _ = try await cluster.pmap(0..<4) { _ in sleep(1000) }
        }
    },
    "ssh-failure": { arguments in
        let manager = SSHArguments(arguments).manager
        do {
            try await withCluster(manager) { _ in say("no error") }
        } catch {
            say("error", error)
        }
    },
]
