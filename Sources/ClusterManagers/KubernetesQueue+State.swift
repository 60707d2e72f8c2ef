extension KubernetesQueue {
    /// What the script prints when all is made. A launch's pods have no number: what finds them stands for one.
    public var identifierPattern: String { "created (\(KubernetesManifest.label)=[a-z0-9-]+)" }

    /// Deletes the pods and the Secret; pods that run get SIGTERM, upon which agents end.
    public var cancelCommand: [String] {
        kubectl + [
            "delete", "pods,secrets", "--ignore-not-found", "--wait=false", "--request-timeout=20s", "--selector",
        ]
    }

    /// The pods line by line; and where a pod's state does not say what it waits for, what went wrong of late.
    public func stateCommand(for job: String) -> [String] {
        let script = """
            selector=$1
            shift
            pods=$("$@" get pods --request-timeout=20s --selector="$selector" --output='\(KubernetesPod.template)') || exit
            printf '%s\\nlisted\\n' "$pods"
            case $pods in *'waiting ContainerCreating'*|*'waiting PodInitializing'*) ;; *) exit 0 ;; esac
            "$@" get events --request-timeout=20s --field-selector=involvedObject.kind=Pod,type=Warning \
            --output='\(KubernetesPod.eventTemplate)'
            """
        return ["/bin/sh", "-c", script, "state", job] + kubectl
    }

    /// All pods in numbers, and why the one that is worst off does not run.
    public func state(from output: String) -> JobState? {
        guard let pods = KubernetesPod.pods(in: output) else { return nil }
        guard !pods.isEmpty else { return JobState(.ended, "no pods", reason: "they have been deleted") }
        let words = pods.map(\.word)
        let numbers = Set(words).sorted().map { word in "\(words.count { $0 == word }) \(word)" }
        let lost = pods.count { $0.outlook == .lost }
        let worst = pods.first { $0.outlook == .lost } ?? pods.first { $0.outlook == .waiting }
        let reason = worst.flatMap { pod in pod.reason.map { "\(pod.name): \($0)" } }
        let phase: JobState.Phase =
            lost == pods.count ? .ended : pods.allSatisfy { $0.outlook == .running } ? .running : .waiting
        return JobState(phase, numbers.joined(separator: ", "), reason: reason, lostTasks: lost)
    }

    /// What the pods have printed last.
    public func outputCommand(for job: String) -> [String]? {
        kubectl + [
            "logs", "--tail=20", "--prefix", "--ignore-errors", "--all-containers", "--request-timeout=20s",
            "--selector", job,
        ]
    }

    /// By the reasons that Kubernetes has for a pod's state, or what `kubectl` or an agent wrote.
    public func cure(for words: String) -> String? {
        KubernetesQueue.cures.first { cure in cure.words.allSatisfy { words.contains($0) } }?.cure
    }

    private static let cures: [(words: [String], cure: String)] = [
        (["kubectl: not found"], "install kubectl, or give its path (kubectl)"),
        (["ErrImageNeverPull"], "load the image on the nodes, or let them fetch it: imagePullPolicy (configure)"),
        (["InvalidImageName"], "write the image as registry/name:tag"),
        (
            ["ErrImagePull"],
            "see that the image has this name, and that nodes may fetch it: imagePullSecrets (configure)"
        ),
        (
            ["ImagePullBackOff"],
            "see that the image has this name, and that nodes may fetch it: imagePullSecrets (configure)"
        ),
        (["CreateContainerConfigError"], "see that what the manifest names is there in the namespace (configure)"),
        (["Insufficient cpu"], "ask for less cpu, or for fewer pods: `kubectl describe nodes` shows what is free"),
        (
            ["Insufficient memory"],
            "ask for less memory, or for fewer pods: `kubectl describe nodes` shows what is free"
        ),
        (["Insufficient "], "ask for less of it (configure): `kubectl describe nodes` shows what is free"),
        (["didn't match"], "ask for labels that some node has (configure): `kubectl get nodes --show-labels`"),
        (["taint"], "have the pods tolerate the taint: spec.tolerations (configure)"),
        (["Unschedulable"], "ask for what some node has: `kubectl describe nodes`"),
        (["FailedMount"], "see that what the manifest's volumes name is there in the namespace (configure)"),
        (["OOMKilled"], "ask for more memory (memory)"),
        (["DeadlineExceeded"], "give the pods more time (timeLimit)"),
        (["Evicted"], "ask for as much as the pods need (memory, configure): the node ran short of it"),
        (["StartError"], "have the program at that path in the image, or give its path there (executable)"),
        (["ContainerCannotRun"], "have the program at that path in the image, or give its path there (executable)"),
        (["run the same executable on both sides"], "make the image of this very program"),
        (
            ["can't join the driver"],
            "see whether pods reach this process; if not, leave the address out, and it dials them"
        ),
        (["exceeded quota"], "ask for less: `kubectl describe quota` shows what the namespace may have"),
        (
            ["(Forbidden)"],
            "have the right to create and delete pods and secrets (`kubectl auth can-i create pods`), or name a namespace of "
                + "yours"
        ),
        (["namespaces ", "not found"], "name a namespace that there is: `kubectl get namespaces`"),
        (["unknown flag"], "see `kubectl options` for the options that there are"),
        (["context ", "does not exist"], "name a context that there is: `kubectl config get-contexts`"),
        (["did you specify the right host or port"], "see that `kubectl version` reaches the cluster (KUBECONFIG)"),
        (["Unable to connect to the server"], "see that `kubectl version` reaches the cluster (KUBECONFIG)"),
        (["is invalid: "], "see the manifest with dryRun, and what configure makes of it"),
        (["(BadRequest)"], "see the manifest with dryRun, and what configure makes of it"),
        (["error validating"], "see the manifest with dryRun, and what configure makes of it"),
        (["have been deleted"], "ask who deletes pods there"),
    ]

    /// Where the API server has no time, or can't be reached just now, or others have the namespace's quota.
    public func mayPass(_ refusal: String) -> Bool {
        // Without a configuration kubectl asks this host.
        !refusal.contains("localhost:8080")
            && [
                "was refused - did you specify the right host or port", "timeout", "Timeout", "timed out",
                "Too Many Requests", "(ServiceUnavailable)", "unable to handle the request", "exceeded quota",
                "connection lost", "connection reset", "unexpected EOF", "etcdserver",
            ].contains { refusal.contains($0) }
    }
}
