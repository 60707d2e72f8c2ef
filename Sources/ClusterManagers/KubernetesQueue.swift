public import ClusterRuntime
import Glibc
import Remote
import Transport

/// Kubernetes: a pod for each task, with one agent, and a Secret with what they join with; through `kubectl`.
///
/// All that belongs to a launch has one label, `muster-job`, by which it is found and deleted: no controller is needed for that.
/// The Secret owns the pods besides, and where the driver runs in a pod itself, that owns the Secret: Kubernetes deletes what
/// has lost its owner.
public struct KubernetesQueue: JobQueue {
    let kubectl: [String]
    let image: String
    let cpu: String?
    let memory: String?
    let timeLimit: Duration?
    let configure: @Sendable (inout JSONValue) -> Void
    /// Whether this process dials the agents, through `kubectl port-forward`.
    let isDialled: Bool
    /// Name of the pod that this process runs in; `nil` outside.
    let ownPod: String?
    /// Values of this process's variables.
    let variable: @Sendable (String) -> String?

    init(
        image: String, namespace: String? = nil, cpu: String? = nil, memory: String? = nil, timeLimit: Duration? = nil,
        kubectl: [String] = ["kubectl"], address: NetworkAddress = .automatic,
        ownPod: String? = KubernetesQueue.ownPod, variable: @escaping @Sendable (String) -> String? = processVariable,
        configure: @escaping @Sendable (inout JSONValue) -> Void = { _ in }
    ) {
        self.kubectl = kubectl + (namespace.map { ["--namespace=\($0)"] } ?? [])
        (self.image, self.cpu, self.memory, self.timeLimit) = (image, cpu, memory, timeLimit)
        (self.configure, self.ownPod, self.variable) = (configure, ownPod, variable)
        isDialled = address == .loopback || (address == .automatic && ownPod == nil)
    }

    /// Kubernetes sets this variable in every pod, and a pod's host has its name.
    static var ownPod: String? { processVariable("KUBERNETES_SERVICE_HOST").map { _ in hostName() } }

    /// Kubernetes.
    public var name: String { "Kubernetes" }

    /// A shell script that makes the Secret of the join file, which only `base64` reads, and then the pods.
    public func submission(for request: JobRequest) throws -> JobSubmission {
        JobSubmission(
            command: ["/bin/sh", "-s"] + kubectl, script: script(manifest(for: request), request),
            program: kubectl.first)
    }

    private func manifest(for request: JobRequest) -> KubernetesManifest {
        // A container has a home, a path and libraries of its own.
        let exports = request.exports.filter { !JobOptions.defaultExports.contains($0) }
            .compactMap { name in variable(name).map { JobRequest.Variable(name: name, value: $0) } }
        var manifest = KubernetesManifest(
            request, image: image, cpu: cpu, memory: memory, environment: exports, hasOwnKeys: isDialled)
        manifest.change { pod in
            if let timeLimit {
                pod["spec"]["activeDeadlineSeconds"] = .integer(max(1, Int(timeLimit.seconds.rounded(.up))))
            }
            configure(&pod)
        }
        return manifest
    }

    private func script(_ manifest: KubernetesManifest, _ request: JobRequest) -> String {
        let create = "\"$@\" create --request-timeout=30s --filename=-"
        let files = request.joinFiles.map(ShellWord.quoted).joined(separator: " ")
        let owner =
            ownPod.map(ShellWord.quoted).map { pod in
                """
                driver=$("$@" get pod \(pod) --request-timeout=10s --output='jsonpath={.metadata.uid}' 2>/dev/null)
                [ -z "$driver" ] || owners=$(printf '[{"apiVersion":"v1","kind":"Pod","name":"%s","uid":"%s"}]' \(pod) "$driver")

                """
            } ?? ""
        return """
            # "$@" is kubectl with its options. Some of the pods without the others are of no use.
            undo() {
                status=$?
                "$@" delete pods,secrets --ignore-not-found --wait=false --request-timeout=10s --selector=\
            \(KubernetesManifest.selector(manifest.name)) >/dev/null 2>&1
                exit "$status"
            }
            secret() {
                printf %s \(ShellWord.quoted(manifest.secretStart)) "$owners" \(ShellWord.quoted(manifest.secretMiddle))
                number=0
                for file; do
                    [ "$number" = 0 ] || printf ,
                    printf '"%s":"%s"' "$number" "$(base64 <"$file" | tr -d '\\n')"
                    number=$((number + 1))
                done
                printf %s \(ShellWord.quoted(manifest.secretEnd))
            }
            owners='[]'
            \(owner)secret=$(secret \(files) | \(create) --output='jsonpath={.metadata.uid}') || undo "$@"
            pod=\(ShellWord.quoted(manifest.pod.text))
            number=0
            while [ "$number" -lt \(request.tasks) ]; do
                printf '%s\\n' "$pod" | sed "s/\(KubernetesManifest.numberMark)/$number/g; \
            s/\(KubernetesManifest.secretMark)/$secret/g"
                number=$((number + 1))
            done | \(create) --output=name >/dev/null || undo "$@"
            echo "created \(KubernetesManifest.selector(manifest.name))"

            """
    }
}

/// A variable of this process.
@Sendable private func processVariable(_ name: String) -> String? {
    unsafe getenv(name).map { unsafe String(cString: $0) }
}

extension ClusterManager where Self == JobQueueManager<KubernetesQueue> {
    /// Workers in pods of Kubernetes.
    ///
    /// ```swift
    /// try await withCluster(.kubernetes(4, image: "registry.example/squares:7", cpu: "2", memory: "4Gi")) { cluster in … }
    /// ```
    ///
    /// - Parameters:
    ///   - count: Number of pods, each with ``JobOptions/workersPerJob`` workers.
    ///   - image: An image with this very program, at the same path or at that of ``JobOptions/executable``.
    ///   - namespace: Where they are; that of kubectl's context unless told.
    ///   - cpu: CPUs for each pod as Kubernetes writes them, `"2"` or `"500m"`: what it asks for, and the most that it gets.
    ///   - memory: Likewise, `"4Gi"`.
    ///   - timeLimit: How long a pod may run, from its start on; `nil` for no limit.
    ///   - kubectl: The command and its own options: `["kubectl", "--context=lab"]`.
    ///   - address: Where this process listens for agents. Unless told, inside a cluster at its pod's address; outside, and for
    ///     `.loopback`, nobody comes here, but this process dials the agents, through a `kubectl port-forward` for each.
    ///   - options: How workers are started. A container has an environment of its own: of `exports`, those that are so unless
    ///     told do not go there.
    ///   - configure: Changes the pods' manifest. The text `@muster-number@` stands there for the number of each, from 0.
    public static func kubernetes(
        _ count: Int, image: String, namespace: String? = nil, cpu: String? = nil, memory: String? = nil,
        timeLimit: Duration? = nil, kubectl: [String] = ["kubectl"], address: NetworkAddress = .automatic,
        options: JobOptions = JobOptions(), configure: @escaping @Sendable (inout JSONValue) -> Void = { _ in }
    ) -> JobQueueManager<KubernetesQueue> {
        let queue = KubernetesQueue(
            image: image, namespace: namespace, cpu: cpu, memory: memory, timeLimit: timeLimit, kubectl: kubectl,
            address: address, configure: configure)
        return JobQueueManager(queue, count: count, address: address, options: options)
    }
}
