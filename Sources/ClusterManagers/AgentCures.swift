/// What most likely helps where agents did not start or join, by what a host's shell or the agents wrote; the same for all queues.
enum AgentCures {
    static let all: [(words: String, cure: String)] = [
        ("No such file or directory", "have the program at that path on all hosts, or give executable"),
        ("not found", "have the program at that path on all hosts, or give executable"),
        ("can't read the join file", "give a directory that this host and the job's share (directory)"),
        (
            "can't join the driver",
            "see whether the job's hosts reach this one; give the interface that they reach (address)"
        ),
    ]
}
