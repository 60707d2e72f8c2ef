import Agent
import ClusterRuntime

extension KubernetesQueue {
    /// A queue by options as somebody types them, see ``JobQueueKind/kubernetes``.
    ///
    /// - Throws: `LaunchError` if there is no image.
    init(_ flags: [(String, String)], _ address: NetworkAddress) throws(LaunchError) {
        var own: [String: String] = [:]
        var changes: [([String], JSONValue)] = []
        var kubectl = ["kubectl"]
        for (key, value) in flags {
            switch key {
            case "image", "namespace", "cpu", "memory": own[key] = value
            case _ where key.hasPrefix("spec.") || key.hasPrefix("metadata."):
                changes.append((KubernetesQueue.place(key), JSONValue(typed: value)))
            default: kubectl.append(value.isEmpty ? "--\(key)" : "--\(key)=\(value)")
            }
        }
        guard let image = own["image"], !image.isEmpty else {
            throw LaunchError("pods need an image with this program: give image=NAME:TAG")
        }
        let changed = changes
        self.init(
            image: image, namespace: own["namespace"], cpu: own["cpu"], memory: own["memory"], kubectl: kubectl,
            address: address,
            configure: { pod in
                for (place, value) in changed { pod.set(place[...], to: value) }
            })
    }

    /// `spec.containers.0`, with `\.` for a dot that belongs to a name, as in kubectl's paths.
    private static func place(_ text: String) -> [String] {
        text.replacing("\\.", with: "\0").split(separator: ".").map { String($0).replacing("\0", with: ".") }
    }
}

extension JSONValue {
    /// A value as somebody types it: a whole number, `true` and `false` for what they are, else a text.
    fileprivate init(typed text: String) {
        self = Int(text).map { .integer($0) } ?? Bool(text).map { .bool($0) } ?? .string(text)
    }

    /// Sets the value at a place: names of members, numbers of items.
    fileprivate mutating func set(_ path: ArraySlice<String>, to value: JSONValue) {
        guard let first = path.first else { return self = value }
        if let index = Int(first), index >= 0 {
            self[index].set(path.dropFirst(), to: value)
        } else {
            self[first].set(path.dropFirst(), to: value)
        }
    }
}
