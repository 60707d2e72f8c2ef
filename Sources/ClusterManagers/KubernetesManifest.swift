import Agent

/// What is made in Kubernetes for a launch: a Secret, and pods that mount it.
struct KubernetesManifest: Sendable {
    /// The launch's name: that of its Secret, and its pods' with a number behind.
    let name: String
    /// What each pod is like; the marks in it stand for what is known when it is made.
    private(set) var pod: JSONValue

    /// Name of the label by which all that belongs to a launch is found.
    static let label = "muster-job"
    /// What finds it.
    static func selector(_ name: String) -> String { "\(label)=\(name)" }

    /// Stands for the number of a pod, from 0.
    static let numberMark = "@muster-number@"
    /// Stands for the UID of the Secret, which owns the pods: what removes it, removes them.
    static let secretMark = "@muster-secret@"

    /// Where a pod has its key.
    private static let directory = "/run/secrets/muster"
    private static let keyFile = "join"

    /// A pod for one task of a job.
    ///
    /// - Parameters:
    ///   - environment: Variables besides those of the request.
    ///   - hasOwnKeys: Whether each pod has a key of its own, and sees only that.
    init(
        _ request: JobRequest, image: String, cpu: String?, memory: String?, environment: [JobRequest.Variable],
        hasOwnKeys: Bool
    ) {
        name = request.name
        // The role that the request has is that of an agent which finds the file itself.
        let role = JobRequest.Variable(
            name: Role.variable,
            value: Role.value(join: .secret("\(KubernetesManifest.directory)/\(KubernetesManifest.keyFile)")))
        let variables = environment + request.environment.filter { $0.name != role.name } + [role]
        var container: JSONValue = [
            "name": "muster", "image": .string(image),
            "command": .array(request.program.map(KubernetesManifest.literal)),
            "env": .array(
                variables.map { ["name": .string($0.name), "value": KubernetesManifest.literal($0.value)] }),
            "volumeMounts": [
                ["name": "muster", "mountPath": .string(KubernetesManifest.directory), "readOnly": true]
            ],
        ]
        for (resource, amount) in [("cpu", cpu), ("memory", memory)] {
            guard let amount else { continue }
            // Where they are equal, a node may give whole CPUs to the pod alone.
            container["resources"]["requests"][resource] = .string(amount)
            container["resources"]["limits"][resource] = .string(amount)
        }
        let key = hasOwnKeys ? KubernetesManifest.numberMark : "0"
        pod = [
            "apiVersion": "v1", "kind": "Pod",
            "metadata": [
                "name": "\(name)-\(KubernetesManifest.numberMark)",
                "labels": KubernetesManifest.labels(name),
                "ownerReferences": [
                    [
                        "apiVersion": "v1", "kind": "Secret", "name": .string(name),
                        "uid": .string(KubernetesManifest.secretMark),
                    ]
                ],
            ],
            "spec": [
                // An agent starts its workers again itself; a pod that is started again would find its key used up.
                "restartPolicy": "Never", "terminationGracePeriodSeconds": 5, "automountServiceAccountToken": false,
                "volumes": [
                    [
                        "name": "muster",
                        "secret": [
                            // Whoever the container runs as has to read it, and nobody else is there.
                            "secretName": .string(name), "defaultMode": 0o444,
                            "items": [["key": .string(key), "path": .string(KubernetesManifest.keyFile)]],
                        ],
                    ]
                ],
                "containers": [container],
            ],
        ]
    }

    /// Has the user change it; by its name and label it is found again, and its agent is to know how long it has.
    mutating func change(_ change: (inout JSONValue) -> Void) {
        let metadata = pod["metadata"]
        change(&pod)
        pod["metadata"]["name"] = metadata["name"]
        pod["metadata"]["labels"][KubernetesManifest.label] = metadata["labels"][KubernetesManifest.label]
        if case .integer(let seconds) = pod["spec"]["activeDeadlineSeconds"] {
            // An image of one program has no shell that could look at a clock.
            pod["spec"]["containers"][0]["env"].append(
                ["name": .string(JobRequest.endVariable), "value": "+\(seconds)"])
        }
    }
    /// A text of a container's that means itself: `$(NAME)` would be a variable's value, and `$$` stands for `$`.
    private static func literal(_ text: String) -> JSONValue { .string(text.replacing("$", with: "$$")) }

    private static func labels(_ name: String) -> JSONValue {
        [label: .string(name), "app.kubernetes.io/managed-by": "muster"]
    }

    /// The Secret's text up to its owners.
    var secretStart: String {
        """
        {"apiVersion":"v1","kind":"Secret","type":"Opaque","metadata":{"name":"\(name)","labels":\(KubernetesManifest.labels(name).text),\
        "ownerReferences":
        """
    }
    /// From there up to its keys, which are called 0, 1, and so on.
    var secretMiddle: String { "},\"data\":{" }
    /// Its end.
    var secretEnd: String { "}}" }
}
