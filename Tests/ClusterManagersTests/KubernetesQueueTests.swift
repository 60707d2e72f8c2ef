import Agent
import ClusterRuntime
import Foundation
import Testing

@testable import ClusterManagers

@Suite("KubernetesQueue")
struct KubernetesQueueTests {
    private func request(_ tasks: Int, files: [String] = ["/nowhere"]) -> JobRequest {
        var request = JobRequest(
            name: "muster-1-a", tasks: tasks, workersPerTask: 1, outputFile: "/home/me/.muster/join.out",
            exports: ["HOME", "PATH", "DATA", "NONE"], program: ["/opt/my program", "it's", "$(HOME) $$"],
            environment: [
                .init(name: "COLOUR", value: "$red"), .init(name: "MUSTER_ROLE", value: "agent:file:/home/me/join"),
            ])
        request.joinFiles = files
        return request
    }

    private func queue(
        kubectl: [String] = ["kubectl"], address: NetworkAddress = "10.0.0.7", ownPod: String? = nil,
        configure: @escaping @Sendable (inout JSONValue) -> Void = { _ in }
    ) -> KubernetesQueue {
        KubernetesQueue(
            image: "lab/squares:7", namespace: "lab", cpu: "500m", memory: "1Gi", timeLimit: .seconds(90),
            kubectl: kubectl,
            address: address, ownPod: ownPod, variable: { ["HOME": "/home/me", "DATA": "/data"][$0] },
            configure: configure)
    }

    /// A place with a stand-in for kubectl, which keeps its arguments and its input, and answers as kubectl does (FORMATS.md).
    private final class Place {
        let directory = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        var kubectl: String { directory.appending(path: "kubectl").path }
        var join: String { directory.appending(path: "join").path }

        init(answering answers: String) throws {
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
            let script = """
                #!/bin/sh
                cd '\(directory.path)' || exit 1
                printf '%s\\n' "$*" >>arguments
                number=$(wc -l <arguments)
                case "$*" in *--filename=-*) cat >"input$number" ;; esac
                \(answers)

                """
            try Data(script.utf8).write(to: URL(filePath: kubectl))
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: kubectl)
        }

        deinit { try? FileManager.default.removeItem(at: directory) }

        func text(_ name: String) throws -> String {
            try String(contentsOf: directory.appending(path: name), encoding: .utf8)
        }

        /// Runs a submission.
        func run(_ submission: JobSubmission) async throws -> CommandRun {
            try await ClusterManagersTests.run(submission.command, input: Array(submission.script.utf8))
        }
    }

    private typealias Object = [String: Any]

    private func objects(_ text: String) throws -> [Object] {
        try text.split(separator: "\n").map { line in
            try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? Object)
        }
    }

    @Test("a Secret of the join files, and as many pods, which it owns; no argument has a key")
    func submission() async throws {
        let place = try Place(answering: "case \"$*\" in *jsonpath*) printf secret-uid ;; esac")
        var files: [String] = []
        for number in 0..<2 {
            files.append("\(place.join)-\(number)")
            try Data("key \(number)\(number)\n".utf8).write(to: URL(filePath: files[number]))
        }
        let queue = queue(kubectl: [place.kubectl, "--context=x"], address: .loopback)
        let submission = try queue.submission(for: request(2, files: files))
        #expect(submission.command == ["/bin/sh", "-s", place.kubectl, "--context=x", "--namespace=lab"])
        #expect(submission.program == place.kubectl && !submission.description.contains("key 0"))
        let got = try await place.run(submission)
        #expect(got.text == "created muster-job=muster-1-a" && got.end.error == "", "\(got)")
        #expect(queue.job(fromSubmitOutput: got.end.output) == "muster-job=muster-1-a")
        let arguments = try place.text("arguments").split(separator: "\n")
        #expect(arguments.count == 2 && arguments.allSatisfy { $0.hasPrefix("--context=x --namespace=lab create ") })

        let secret = try #require(try objects(place.text("input1")).first)
        let metadata = try #require(secret["metadata"] as? Object)
        #expect(secret["kind"] as? String == "Secret" && metadata["name"] as? String == "muster-1-a")
        #expect((metadata["labels"] as? Object)?["muster-job"] as? String == "muster-1-a")
        let data = try #require(secret["data"] as? [String: String]).mapValues { Data(base64Encoded: $0) }
        #expect(data == ["0": Data("key 00\n".utf8), "1": Data("key 11\n".utf8)])

        let pods = try objects(place.text("input2"))
        #expect(pods.count == 2)
        for (number, pod) in pods.enumerated() {
            let metadata = try #require(pod["metadata"] as? Object)
            #expect(metadata["name"] as? String == "muster-1-a-\(number)")
            #expect((metadata["labels"] as? Object)?["muster-job"] as? String == "muster-1-a")
            let owner = try #require((metadata["ownerReferences"] as? [Object])?.first)
            #expect(owner["kind"] as? String == "Secret" && owner["uid"] as? String == "secret-uid")
            let spec = try #require(pod["spec"] as? Object)
            #expect(spec["restartPolicy"] as? String == "Never" && spec["activeDeadlineSeconds"] as? Int == 90)
            let volume = try #require((spec["volumes"] as? [Object])?.first?["secret"] as? Object)
            let item = try #require((volume["items"] as? [Object])?.first)
            // Each sees its own key only.
            #expect(item["key"] as? String == "\(number)" && item["path"] as? String == "join")
            let container = try #require((spec["containers"] as? [Object])?.first)
            #expect(container["image"] as? String == "lab/squares:7")
            // Kubernetes makes `$` of `$$`, and leaves the rest as it is.
            #expect(container["command"] as? [String] == ["/opt/my program", "it's", "$$(HOME) $$$$"])
            let resources = try #require(container["resources"] as? [String: [String: String]])
            let amounts = ["cpu": "500m", "memory": "1Gi"]
            #expect(resources == ["requests": amounts, "limits": amounts])
            let variables = try #require(container["env"] as? [[String: String]])
                .map { "\($0["name"] ?? "")=\($0["value"] ?? "")" }
            #expect(
                variables == [
                    "DATA=/data", "COLOUR=$$red", "MUSTER_ROLE=agent:secret:/run/secrets/muster/join",
                    "MUSTER_JOB_END=+90",
                ])
        }
    }

    @Test(
        "pods that dial the driver have one key; inside a cluster the driver's pod owns the Secret, where that can be known"
    )
    func inside() async throws {
        for uid in ["pod-uid", ""] {
            let place = try Place(
                answering:
                    "case \"$*\" in *'get pod driver-0 '*) printf '\(uid)' ;; *jsonpath*) printf secret-uid ;; esac")
            try Data("k".utf8).write(to: URL(filePath: place.join))
            let queue = queue(kubectl: [place.kubectl], address: .automatic, ownPod: "driver-0")
            #expect(!queue.isDialled)
            let got = try await place.run(try queue.submission(for: request(3, files: [place.join])))
            #expect(got.text == "created muster-job=muster-1-a", "\(got)")
            let secret = try #require(try objects(place.text("input2")).first)
            let owners = try #require((secret["metadata"] as? Object)?["ownerReferences"] as? [[String: String]])
            let owner = ["apiVersion": "v1", "kind": "Pod", "name": "driver-0", "uid": uid]
            #expect(owners == (uid.isEmpty ? [] : [owner]))
            #expect(secret["data"] as? [String: String] == ["0": "aw=="])
            let pods = try place.text("input3")
            #expect(try objects(pods).count == 3 && pods.components(separatedBy: #""key":"0""#).count == 4)
        }
    }

    @Test(
        "where something is refused, all is taken back, and the refusal is told",
        arguments: [("Secret", 2), ("Pod", 3)])
    func refused(kind: String, calls: Int) async throws {
        let refusal = "Error from server (Forbidden): exceeded quota"
        let place = try Place(
            answering:
                "grep -q '\"kind\":\"\(kind)\",' \"input$number\" 2>/dev/null && echo '\(refusal)' >&2 && exit 1\necho x"
        )
        try Data("k".utf8).write(to: URL(filePath: place.join))
        let got = try await place.run(
            try queue(kubectl: [place.kubectl]).submission(for: request(2, files: [place.join])))
        #expect(got.end.program == .exited(status: 1) && got.end.error == refusal + "\n", "\(got)")
        let arguments = try place.text("arguments").split(separator: "\n")
        #expect(
            arguments.last?.hasSuffix(
                "delete pods,secrets --ignore-not-found --wait=false --request-timeout=10s "
                    + "--selector=muster-job=muster-1-a") == true, "\(arguments)")
        #expect(arguments.count == calls)
    }

    @Test("the user changes the manifest, but not what the pods are found by")
    func configure() throws {
        let queue = queue { pod in
            pod["metadata"] = ["labels": ["team": "a"], "name": "mine"]
            pod["spec"]["nodeSelector"]["disk"] = "ssd"
            pod["spec"]["activeDeadlineSeconds"] = nil
        }
        let script = try queue.submission(for: request(1)).script
        #expect(
            script.contains(#""labels":{"muster-job":"muster-1-a","team":"a"},"name":"muster-1-a-@muster-number@"}"#))
        #expect(script.contains(#""nodeSelector":{"disk":"ssd"}"#) && !script.contains("MUSTER_JOB_END"))
    }

    @Test("options that somebody types")
    func flags() throws {
        let manager = try JobQueueKind.kubernetes.manager(
            count: 2,
            flags: [
                ("image", "a:1"), ("namespace", "n"), ("cpu", "2"), ("context", "lab"), ("v", ""), ("image", "a:2"),
                ("spec.containers.0.imagePullPolicy", "Never"), (#"spec.nodeSelector.kubernetes\.io/os"#, "linux"),
                ("spec.hostNetwork", "true"), ("spec.priority", "5"),
            ], options: JobOptions(executable: "/bin/x"))
        let text = try manager.dryRun()
        #expect(text.hasPrefix("/bin/sh -s kubectl --context=lab --v --namespace=n <<'END'\n"))
        for part in [
            #""image":"a:2","imagePullPolicy":"Never""#, #""nodeSelector":{"kubernetes.io/os":"linux"}"#,
            #""hostNetwork":true"#, #""priority":5"#, #""limits":{"cpu":"2"}"#, #""command":["/bin/x""#,
        ] {
            #expect(text.contains(part), "\(part) is not in \(text)")
        }
        #expect(throws: (any Error).self) { try JobQueueKind.kubernetes.manager(count: 1, flags: [("cpu", "2")]) }
    }

    @Test(
        "from outside the driver dials, unless an address is given that pods reach",
        arguments: [
            (.automatic, nil, true), (.automatic, "driver-0", false), (.loopback, nil, true),
            (.loopback, "driver-0", true), ("10.0.0.7", nil, false), (.interface("eth0"), nil, false),
        ] as [(NetworkAddress, String?, Bool)])
    func direction(address: NetworkAddress, ownPod: String?, isDialled: Bool) {
        #expect(queue(address: address, ownPod: ownPod).isDialled == isDialled)
    }

    @Test(
        "only the whole line of a forward tells its port",
        arguments: [
            ("Forwarding from 127.0.0.1:44259 -> 9009", 44259), ("Forwarding from [::1]:44259 -> 9009", nil),
            ("Forwarding from 127.0.0.1:44259 -> 80", nil), ("x Forwarding from 127.0.0.1:44259 -> 9009", nil),
            ("Forwarding from 127.0.0.1:0 -> 9009", nil), ("Forwarding from 127.0.0.1: -> 9009", nil), ("", nil),
        ])
    func forwards(line: String, port: Int?) {
        #expect(KubernetesQueue.forwardedPort(in: line, to: 9009) == port)
    }

    // Words and messages: FORMATS.md, section 7; DeadlineExceeded and FailedMount by documentation.
    @Test(
        "the state is that of all pods in numbers, with the reason of the one that is worst off",
        arguments: [
            (listed(pod("a-0", "Running"), pod("a-1", "Running")), JobState(.running, "2 Running")),
            (
                listed(
                    pod("a-0", "Running"),
                    pod(
                        "a-1", "Pending", "scheduling Unschedulable",
                        "message 0/1 nodes are available: 1 Insufficient cpu.")),
                JobState(
                    .waiting, "1 Pending, 1 Running",
                    reason: "a-1: Unschedulable: 0/1 nodes are available: 1 Insufficient cpu.")
            ),
            (
                listed(pod("a-0", "Running"), pod("a-1", "Failed", "terminated StartError", "status 128")),
                JobState(.waiting, "1 Failed, 1 Running", reason: "a-1: StartError: status 128", lostTasks: 1)
            ),
            (
                listed(pod("a-0", "Pending", "waiting ErrImageNeverPull", "message Container image is not present")),
                JobState(
                    .ended, "1 Pending", reason: "a-0: ErrImageNeverPull: Container image is not present", lostTasks: 1)
            ),
            (
                listed(pod("a-0", "Pending", "waiting ErrImagePull", "message rpc error", "of several lines")),
                JobState(.waiting, "1 Pending", reason: "a-0: ErrImagePull: rpc error")
            ),
            (
                listed(
                    pod(
                        "a-0", "Failed", "own DeadlineExceeded", "message active too long", "terminated Error",
                        "status 137")),
                JobState(.ended, "1 Failed", reason: "a-0: DeadlineExceeded: active too long", lostTasks: 1)
            ),
            (
                listed(pod("a-0", "Running", "deleted 2026-11-20T16:11:18Z")),
                JobState(.ended, "1 Terminating", reason: "a-0: it is being deleted", lostTasks: 1)
            ),
            (
                listed(
                    pod("a-0", "Pending", "waiting ContainerCreating"),
                    events: ["b-0", "FailedMount", "no"], ["a-0", "MissingClusterDNS", "what"],
                    ["a-0", "FailedMount", "not there"]),
                JobState(.waiting, "1 Pending", reason: "a-0: FailedMount: not there")
            ),
            (listed(), JobState(.ended, "no pods", reason: "they have been deleted")),
            (pod("a-0", "Running"), nil), ("", nil), ("Error from server (Forbidden): …\n", nil),
        ] as [(String, JobState?)])
    func state(output: String, expected: JobState?) {
        #expect(queue().state(from: output) == expected)
    }

    // Refusals: FORMATS.md, section 7.
    @Test(
        "refusals that pass are told from those that don't, and have a cure",
        arguments: [
            (
                "Error from server (Forbidden): error when creating \"STDIN\": pods is forbidden: User \"dev\" cannot create "
                    + "resource \"pods\"", "auth can-i", false
            ),
            ("pods \"a\" is forbidden: exceeded quota: q, requested: cpu=4", "describe quota", true),
            (
                "The connection to the server 127.0.0.1:1 was refused - did you specify the right host or port?",
                "kubectl version", true
            ),
            (
                "The connection to the server localhost:8080 was refused - did you specify the right host or port?",
                "kubectl version", false
            ),
            ("error: unknown flag: --bogus", "kubectl options", false), ("something else", nil, false),
        ])
    func refusal(words: String, cure: String?, passes: Bool) {
        #expect(queue().mayPass(words) == passes)
        #expect(queue().cure(for: words)?.contains(cure ?? "?") == (cure == nil ? nil : true))
    }

    @Test("commands for a job name all of its objects, and never wait for pods to be gone")
    func commands() {
        let queue = queue()
        let job = "muster-job=muster-1-a"
        let deletion = (queue.cancelCommand + [job]).joined(separator: " ")
        #expect(
            deletion.hasPrefix("kubectl --namespace=lab delete pods,secrets ")
                && deletion.hasSuffix(" --selector \(job)"))
        #expect(deletion.contains("--wait=false") && deletion.contains("--ignore-not-found"))
        #expect(queue.stateCommand(for: job).suffix(3) == [job, "kubectl", "--namespace=lab"])
        #expect(queue.outputCommand(for: job)?.suffix(2) == ["--selector", job])
    }
}

/// What the state command prints of a pod.
private func pod(_ name: String, _ phase: String, _ lines: String...) -> String {
    (["pod \(name)", "phase \(phase)", "deleted ", "own ", "message ", "waiting ", "terminated "] + lines)
        .joined(separator: "\n")
}

/// What it prints of all, and behind that of events: a pod's name, a reason, a message.
private func listed(_ pods: String..., events: [String]...) -> String {
    let told = events.map { "event \($0[0])\nfailed \($0[1])\nmessage \($0[2])" }
    return (pods + ["listed"] + told).joined(separator: "\n") + "\n"
}
