import Foundation
import Testing

extension QueueUnderTest {
    /// A real Kubernetes of one node, whose agents the driver dials; see Tools/schedulers/kubernetes.
    static let kubernetes = kubernetes([])
    /// The same, with an address of the driver's that pods reach.
    static let kubernetesReached = kubernetes(["address=\(variable("K8S_HOST_IP"))"])

    private static func variable(_ name: String) -> String { ProcessInfo.processInfo.environment[name] ?? "" }

    /// Runs `kubectl` where the tests' pods are.
    static func kubectl(_ arguments: String...) async throws -> DriverRun {
        guard let path = path(of: "kubectl") else { throw CocoaError(.fileNoSuchFile) }
        let driver = try Driver(
            ["--namespace=muster-test"] + arguments, limit: 30, executable: URL(filePath: path))
        return try await driver.end()
    }

    private static func kubernetes(_ choices: [String]) -> QueueUnderTest {
        let image = variable("MUSTER_TEST_KUBERNETES_IMAGE")
        // Of which the image is.
        let program = URL(filePath: variable("MUSTER_TEST_KUBERNETES_PROGRAM"))
        // Bare pods of local images; the cluster has nothing else.
        let common = ["image=\(image)", "namespace=muster-test", "spec.containers.0.imagePullPolicy=Never"]
        // The test counts what pods write to a file of this host's.
        let logs = [
            "spec.volumes.1.name=logs", "spec.volumes.1.hostPath.path=/tmp",
            "spec.containers.0.volumeMounts.1.name=logs",
            "spec.containers.0.volumeMounts.1.mountPath=/tmp",
        ]
        return QueueUnderTest(
            kind: "kubernetes", missing: "no Kubernetes",
            isThere: {
                let cluster = try await kubectl("config", "view", "--minify", "--output=jsonpath={.clusters[0].name}")
                guard cluster.output == "k8slab", FileManager.default.isExecutableFile(atPath: program.path) else {
                    return false
                }
                return try await kubectl("get", "namespace", "muster-test").status == 0
            },
            jobs: {
                let answer = try await kubectl(
                    "get", "secrets,pods", "--selector=muster-job",
                    "--output=jsonpath={range .items[*]}{.kind} {.metadata.name} {.status.phase} "
                        + "{.metadata.deletionTimestamp}{\"\\n\"}{end}")
                try #require(answer.status == 0, "\(answer)")
                let objects = answer.lines.map { $0.split(separator: " ").map(String.init) }
                let pods = objects.filter { $0[0] == "Pod" && $0.count == 3 }
                // A Secret without pods is left over too.
                let secrets = objects.filter { secret in
                    secret[0] == "Secret" && !pods.contains { $0[1].hasPrefix(secret[1]) }
                }
                return pods.map { Job(name: $0[1], number: $0[1], isRunning: $0[2] == "Running") }
                    + secrets.map { Job(name: $0[1], number: $0[1], isRunning: false) }
            },
            cancel: { _ = try await kubectl("delete", "pod", $0, "--wait=false") },
            submitCommand: path(of: "kubectl") ?? "", running: common, waiting: common + ["cpu=1000"],
            ending: (common + logs + ["spec.activeDeadlineSeconds=60"], 60),
            program: program, choices: ["executable=/bin/muster-test-program"] + choices)
    }
}

@Suite("Workers through Kubernetes", .serialized)
struct KubernetesTests {
    @Test(
        "a map with a capture over pods, which the driver dials, and which dial the driver", arguments: [false, true])
    func map(reached: Bool) async throws {
        try await QueueSuite(reached ? .kubernetesReached : .kubernetes)?.map()
    }

    @Test("several workers in each pod, with CPUs and memory of their own")
    func severalWorkers() async throws {
        try await QueueSuite(.kubernetes)?.map(["per=2"], count: 2, ["cpu=200m", "memory=256Mi"])
    }

    @Test("a pod that is deleted in the middle of a map is told of, and the map goes on elsewhere")
    func cancelled() async throws { try await QueueSuite(.kubernetes)?.cancelledInMidMap() }

    @Test("a pod that dies takes its workers with it, and the map goes on")
    func podDies() async throws {
        // Behind what the test program exports, and the role.
        let variable = "spec.containers.0.env.3"
        try await QueueSuite(.kubernetes)?.hostDies(
            ["\(variable).name=MUSTER_TEST_POD", "\(variable).value=pod-@muster-number@"],
            where: "MUSTER_TEST_POD=pod-1")
    }

    @Test(
        "an interrupt, or the driver's death, deletes pods that wait and those that run",
        arguments: [SIGINT, SIGKILL], [false, true])
    func ends(signal: Int32, running: Bool) async throws {
        try await QueueSuite(.kubernetes)?.driverEnds(by: signal, running: running)
    }

    @Test("pods that wait are deleted with the task that waits for their workers")
    func launchIsCancelled() async throws { try await QueueSuite(.kubernetes)?.launchIsCancelled() }

    @Test("at the end of their time pods have nothing under way, and the map goes on elsewhere")
    func wallTime() async throws { try await QueueSuite(.kubernetes)?.wallTime() }

    @Test("no command line, environment, manifest or output has the key", arguments: [false, true])
    func keyIsNowhere(reached: Bool) async throws {
        try await QueueSuite(reached ? .kubernetesReached : .kubernetes)?.keyIsNowhere { pod in
            let manifest = try await QueueUnderTest.kubectl("get", "pod", pod, "--output=json")
            #expect(manifest.output.contains("agent:secret:/run/secrets/muster/join"), "\(manifest)")
            return [manifest, try await QueueUnderTest.kubectl("logs", pod)]
        }
    }

    @Test("pods that are made when the driver is dead already are deleted")
    func submitting() async throws { try await QueueSuite(.kubernetesReached)?.driverDiesWhileSubmitting() }

    @Test(
        "pods that bring no workers say what was run, why, and what helps",
        arguments: [
            QueueFailure(options: ["namespace=nosuch"], said: "\"nosuch\" not found", cure: "`kubectl get namespaces`"),
            QueueFailure(options: ["context=nobody"], said: "(Forbidden)", cure: "kubectl auth can-i"),
            QueueFailure(options: ["context=nosuch"], said: "\"nosuch\" does not exist", cure: "get-contexts"),
            QueueFailure(options: ["bogus=1"], said: "unknown flag: --bogus", cure: "kubectl options"),
            QueueFailure(options: ["image="], said: "pods need an image", cure: "image=NAME:TAG"),
            QueueFailure(options: ["spec.restartPolicy=Sometimes"], said: "Sometimes", cure: "dryRun"),
            // None of these ends by itself; only for the first is there nothing to wait for.
            QueueFailure(options: ["image=docker.io/lab/nosuch:1"], said: "ErrImageNeverPull", cure: "imagePullPolicy"),
            QueueFailure(
                options: ["image=docker.io/lab/nosuch:1", "spec.containers.0.imagePullPolicy=IfNotPresent"],
                choices: ["limit=6"], said: "0 of 2 workers up after 6 s", cure: "nodes may fetch it"),
            QueueFailure(
                options: ["cpu=1000"], choices: ["limit=5"], said: "0/1 nodes are available: 1 Insufficient cpu",
                cure: "ask for less cpu"),
            QueueFailure(
                options: ["spec.containers.0.envFrom.0.configMapRef.name=nosuch"], choices: ["limit=6"],
                said: "CreateContainerConfigError: configmap \"nosuch\" not found", cure: "there in the namespace"),
            QueueFailure(
                options: [], choices: ["executable=/nowhere/program"], said: "StartError", cure: "path in the image"),
            QueueFailure(
                options: [], choices: ["executable=/bin/sh"], said: "can't open 'queue-failure'", cure: "status 2"),
        ])
    func failures(_ failure: QueueFailure) async throws {
        var failure = failure
        // Of two values the last counts.
        failure.options = QueueUnderTest.kubernetes.running + failure.options
        try await QueueSuite(.kubernetes)?.failure(failure)
    }

    @Test("a driver whose pods are up has nothing to do")
    func idle() async throws {
        guard let suite = try await QueueSuite(.kubernetes) else { return }
        let driver = try suite.driver("queue-wait", suite.queue.running)
        try await driver.line(startingWith: "ready")
        /// Seconds of all CPUs that the driver has used, from the 14th and 15th word, in hundredths.
        func used() throws -> Double {
            let words = try String(contentsOfFile: "/proc/\(driver.process)/stat", encoding: .utf8).split(
                separator: " ")
            return (Double(words[13])! + Double(words[14])!) / 100
        }
        let (start, before) = (ContinuousClock.now, try used())
        try await driver.poll { ContinuousClock.now - start > .seconds(3) }
        #expect(try used() - before < 0.5)
        driver.signal(SIGINT)
        try await suite.expectNothing(of: driver, try await driver.end())
    }

    @Test("with no minimum the launch returns at once, and a map has the workers when they come")
    func late() async throws { try await QueueSuite(.kubernetes)?.lateWorkers() }
}
