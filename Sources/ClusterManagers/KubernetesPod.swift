/// A pod as Kubernetes tells of it.
struct KubernetesPod: Hashable, Sendable {
    /// What is to be expected of it.
    enum Outlook: Hashable, Sendable {
        case running
        /// It may start, if not by itself.
        case waiting
        /// It has ended, or won't start.
        case lost
    }

    private(set) var name: String
    private var phase = ""
    private var isDeleted = false
    /// The reason of the pod as a whole: `Evicted`, `DeadlineExceeded`.
    private var own = Reason()
    /// Why it has no node.
    private var scheduling = Reason()
    /// Why a container does not run yet.
    private var waiting = Reason()
    /// Why one does not run any more.
    private var terminated = Reason()
    /// The last thing that failed, where its state does not say what it waits for.
    private var event = Reason()

    /// A word of Kubernetes', and an explanation for people; empty where it has none.
    private struct Reason: Hashable, Sendable {
        var word = ""
        var message = ""

        var text: String? { word.isEmpty ? nil : message.isEmpty ? word : "\(word): \(message)" }
    }

    /// What its state comes to in a word.
    var word: String { isDeleted ? "Terminating" : phase }

    var outlook: Outlook {
        if isDeleted || phase == "Failed" || phase == "Succeeded" { return .lost }
        // Nothing that changes in the cluster makes these start.
        if waiting.word.contains("ErrImageNeverPull") || waiting.word.contains("InvalidImageName") { return .lost }
        return phase == "Running" ? .running : .waiting
    }

    /// Why it does not run; `nil` if it does, or nothing is known.
    var reason: String? {
        if isDeleted { return own.text ?? "it is being deleted" }
        switch outlook {
        case .running: return nil
        case .lost: return own.text ?? terminated.text ?? waiting.text
        case .waiting:
            let isUnclear =
                waiting.word.isEmpty || waiting.word == "ContainerCreating" || waiting.word == "PodInitializing"
            return (isUnclear ? nil : waiting.text) ?? scheduling.text ?? event.text ?? waiting.text
        }
    }
}

extension KubernetesPod {
    /// What `kubectl get pods` prints of each pod: words and their values, since a message may have several lines.
    static var template: String {
        let containers = [("status.initContainerStatuses[*]"), ("status.containerStatuses[*]")]
        func line(_ word: String, _ paths: String...) -> String {
            word + paths.map { " {.\($0)}" }.joined() + "{\"\\n\"}"
        }
        let scheduled = "status.conditions[?(@.type==\"PodScheduled\")]"
        return "jsonpath={range .items[*]}" + line("pod", "metadata.name") + line("phase", "status.phase")
            + line("deleted", "metadata.deletionTimestamp") + line("own", "status.reason")
            + line("message", "status.message") + line("scheduling", scheduled + ".reason")
            + line("message", scheduled + ".message")
            + containers.map { container in
                line("waiting", container + ".state.waiting.reason")
                    + line("message", container + ".state.waiting.message")
                    + line("terminated", container + ".state.terminated.reason")
                    + line("message", container + ".state.terminated.message")
                    + line("status", container + ".state.terminated.exitCode")
            }.joined() + "{end}"
    }

    /// What `kubectl get events` prints of each event.
    static let eventTemplate = """
        jsonpath={range .items[*]}event {.involvedObject.name}{"\\n"}failed {.reason}{"\\n"}message {.message}{"\\n"}{end}
        """

    /// Reads that; `nil` if the pods could not be listed.
    static func pods(in output: String) -> [KubernetesPod]? {
        var pods: [KubernetesPod] = []
        var isListed = false
        // Where a message belongs.
        var reason: WritableKeyPath<KubernetesPod, Reason>?
        var number: Int?
        for line in output.split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: " ", maxSplits: 1)
            let value = parts.count == 2 ? parts[1].trimmed : ""
            func note(_ path: WritableKeyPath<KubernetesPod, Reason>) {
                reason = value.isEmpty ? nil : path
                guard let number, let reason else { return }
                pods[number][keyPath: reason] = Reason(word: value)
            }
            switch parts.first {
            case "listed" where parts.count == 1: isListed = true
            case "pod":
                number = pods.count
                pods.append(KubernetesPod(name: value))
            case "event": number = pods.firstIndex { $0.name == value }
            case "phase": if let number { pods[number].phase = value }
            case "deleted": if let number { pods[number].isDeleted = !value.isEmpty }
            case "own": note(\.own)
            case "scheduling": note(\.scheduling)
            case "waiting": note(\.waiting)
            case "terminated": note(\.terminated)
            case "failed":
                reason = nil
                if value.hasPrefix("Failed") { note(\.event) }
            case "message":
                if let number, let reason, !value.isEmpty { pods[number][keyPath: reason].message = value }
            case "status":
                guard let number, !value.isEmpty, value != "0" else { continue }
                let said = pods[number].terminated.message
                pods[number].terminated.message = "status \(value)" + (said.isEmpty ? "" : ", \(said)")
            default: continue
            }
        }
        return isListed ? pods : nil
    }
}

extension Substring {
    fileprivate var trimmed: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
