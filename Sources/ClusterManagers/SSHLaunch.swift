import Agent
import ClusterRuntime
import Placement
import Remote
import SharedMemoryLink
import Transport

/// Brings up the workers of one host: the program, the agent, and then what the agent is asked for.
struct SSHLaunch: Sendable {
    let host: SSHHost
    let placement: PlacementRequest
    let options: SSHOptions
    let port: any DriverPort
    let site: LaunchSite

    /// Seconds that ssh has to end after its agent.
    private static let grace = 2.0

    func run() async throws {
        let controlPath = options.multiplex ? try ControlDirectory.controlPath() : nil
        let (program, isStaged) = try await bringProgram(controlPath)
        let command = SSHCommand(
            host: host, options: options, controlPath: controlPath, tunnelTo: options.tunnel ? port.port : nil)
        let step = SSHFailure.Step.agent(executable: String(decoding: program, as: UTF8.self), isStaged: isStaged)
        let (session, link, address) = try await startAgent(program, command, step)
        // Who comes through a tunnel seems to be here.
        let remote = RemoteHost(link, at: options.tunnel ? nil : address, site)
        do {
            try await withTaskCancellationHandler {
                _ = try await remote.greet()
                try await remote.launch(request)
            } onCancel: {
                link.close()
            }
        } catch {
            await remote.dismiss()
            await SSHLaunch.finish(session)
            try Task.checkCancellation()
            throw error
        }
        remote.end.whenHere { _ in session.expire(after: SSHLaunch.grace) }
        session.whenEnded { [options] end in
            // Its workers' ends are told already; this is why.
            guard end.cause == nil, end.program != .exited(status: 0) else { return }
            notice("\(SSHFailure(step, command, end, limit: options.startLimit.seconds))")
        }
        site.whenClosed {
            await remote.dismiss()
            await SSHLaunch.finish(session)
        }
    }

    private static func finish(_ session: CommandSession) async {
        session.expire(after: grace)
        _ = await session.end()
    }

    /// What the agent is asked for.
    private var request: HostRequest {
        var request = HostRequest.ofHost()
        request.places = .planned(placement)
        request.startLimit = options.startLimit.seconds
        return request
    }

    /// Path of the program on the host, and whether it was brought there.
    private func bringProgram(_ controlPath: String?) async throws -> (path: [UInt8], isStaged: Bool) {
        if let executable = options.executable { return (Array(executable.utf8), false) }
        let own = try ProgramFile.own.get()
        guard options.stage else { return (Array(own.path.utf8), false) }
        guard !options.shell.isWindows else {
            throw LaunchError("nothing can be copied to \(host.destination), whose shell is cmd.exe: give executable")
        }
        let staging = Staging(
            command: SSHCommand(host: host, options: options, controlPath: controlPath), shell: options.shell,
            program: own, limit: options.startLimit.seconds)
        return (try await staging.run(), true)
    }

    /// How the agent of this program is started: with this process's arguments, where it would be here.
    private func remoteCommand(_ program: [UInt8]) -> RemoteCommand {
        var command = RemoteCommand(executable: program)
        command.directory =
            options.directory.map { .at($0) } ?? OwnProcess.directory.map { .ifThere($0) } ?? .home
        command.environment = options.environment.sorted { $0.key < $1.key }.map { .init($0.key, $0.value) }
        let role = Role.value(join: .descriptor(CInt(options.shell.inputDescriptor)))
        command.environment.append(.init(Role.variable, role))
        command.arguments = OwnProcess.arguments + options.executableFlags.map { Array($0.utf8) }
        return command
    }

    private enum Arrival: Sendable {
        case joined(any Link, address: String?)
        case ended(CommandSession.End)
    }

    /// Starts the agent, and waits until it has joined.
    private func startAgent(
        _ program: [UInt8], _ command: SSHCommand, _ step: SSHFailure.Step
    ) async throws -> (CommandSession, any Link, address: String?) {
        let line = try options.shell.commandLine(for: remoteCommand(program))
        let words = try command.words(running: line)
        let arrival = Eventual<Arrival>()
        // Of the near end of the tunnel, or of an agent that listens itself.
        let farPort = Eventual<Int?>()
        let target = port.port
        let secret = try self.secret(arrival)
        defer { secret.revoke() }
        let session = try await CommandSession.start(words) { source, line in
            let text = String(decoding: line, as: UTF8.self)
            let port = source == .error ? AllocatedPort.port(in: text, to: target) : ListeningLine.port(in: text)
            if let port { farPort.fulfil(port) }
        }
        session.expire(after: options.startLimit.seconds)
        session.whenEnded { end in
            arrival.fulfil(.ended(end))
            farPort.fulfil(nil)
        }
        return try await withTaskCancellationHandler {
            switch secret {
            case .summons(let summons, let address):
                session.send(try summons.secretText())
                session.finishInput()
                let patience = options.startLimit
                let dialling = Task {
                    guard let port = await farPort.get() else { return }
                    // Where that fails, ssh is ended, and the error says what the agent said.
                    let link = try? await summons.reach([address], port: port, within: patience)
                    guard let link else { return session.kill() }
                    if !arrival.fulfil(.joined(link, address: address)) { link.close() }
                }
                defer { dialling.cancel() }
                return try await self.arrival(arrival, session, command, step)
            case .invitation(let invitation) where options.tunnel:
                var end = host.bindPort
                if end == nil { end = await farPort.get() }
                if let end {
                    session.send(try invitation.secretText(addresses: [host.bindAddress ?? "127.0.0.1"], port: end))
                }
            case .invitation(let invitation):
                session.send(try invitation.secretText(addresses: nil, port: nil))
            }
            session.finishInput()
            return try await self.arrival(arrival, session, command, step)
        } onCancel: {
            session.kill()
        }
    }

    /// What the agent is given, and what becomes of it.
    private enum Secret {
        case invitation(any DriverInvitation)
        case summons(any DriverSummons, address: String)

        func revoke() {
            if case .invitation(let invitation) = self { invitation.revoke() }
        }
    }

    /// A host with an address to listen on is dialled; others dial this process.
    private func secret(_ arrival: Eventual<Arrival>) throws -> Secret {
        let limit = options.startLimit + .seconds(10)
        if let address = host.bindAddress, !options.tunnel {
            let summons = try site.network.summon(at: [address], port: host.bindPort ?? 0, for: limit)
            return .summons(summons, address: address)
        }
        return .invitation(
            try port.invite(1, for: limit, key: nil) { link, address, _ in
                if !arrival.fulfil(.joined(link, address: address)) { link.close() }
            })
    }

    /// Waits for the agent, or the end of ssh.
    private func arrival(
        _ arrival: Eventual<Arrival>, _ session: CommandSession, _ command: SSHCommand, _ step: SSHFailure.Step
    ) async throws -> (CommandSession, any Link, address: String?) {
        switch await arrival.get() {
        case .joined(let link, let address):
            session.expire(after: nil)
            return (session, link, address)
        case .ended(let end):
            try Task.checkCancellation()
            throw SSHFailure(step, command, end, limit: options.startLimit.seconds)
        }
    }
}
