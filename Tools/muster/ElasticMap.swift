import Muster
import Remote

/// A command for an argument, as it goes to a worker.
struct MapItem: Hashable, Sendable {
    /// The line for the shell.
    let line: [UInt8]
    /// Number of the argument, from 1.
    let index: Int
}

extension MapItem: WireEncodable, WireDecodable {
    func write(to output: inout WireWriter) { output.write(line, index) }
    init(from input: inout WireReader) throws(WireError) { (line, index) = try input.read() }
}

extension MapCommand {
    /// Runs the commands on the workers of whoever joins.
    ///
    /// A command whose worker is lost runs again on another one: its host may have been taken away in its midst. One that
    /// has taken down three is given up.
    func map(
        _ template: CommandTemplate, _ arguments: [[UInt8]], on manager: ElasticManager, of cluster: Cluster,
        _ report: MapReport
    ) async throws {
        try await cluster.addWorkers(manager)
        FileOutput.standardError.write("muster: waiting for workers; to join: \(manager.joinCommand ?? "")\n")
        let drawing = Task { await report.drawRepeatedly() }
        defer { drawing.cancel() }
        let items = arguments.enumerated().map { MapItem(line: template.line(for: $1), index: $0 + 1) }
        let results = try cluster.pmapStream(
            items, order: .asCompleted, batchSize: 1,
            onError: { CommandResult(end: .lost("could not be run to its end: \($0.error)")) },
            body: { item in
                let environment = ["MUSTER_WORKER": "\(Worker.id.rawValue - 1)", "MUSTER_INDEX": "\(item.index)"]
                return ShellCommand(line: item.line, environment: environment).run()
            })
        for try await (place, result) in results { try await report.add(result, at: place) }
    }
}

extension ElasticManager {
    /// One for `muster map`, which `muster worker` joins.
    convenience init(_ place: ManagerChoice.ElasticPlace, keyFile: String?, joinFile: String?) throws {
        let program = ProgramPath.current ?? "muster"
        self.init(
            address: place.address, port: place.port, key: try keyFile.map { try ClusterKey(contentsOf: $0) },
            joinFile: joinFile,
            command: { "\(ShellWord.quoted(program)) worker --join \(ShellWord.quoted($0))" })
    }
}
