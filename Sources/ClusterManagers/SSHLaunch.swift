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
        if host.bindAddress != nil, !options.tunnel {
            notice("\(host): its workers listen nowhere, so where they would is of no account without tunnel: true")
        }
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

    private static func finish(_ session: SSHSession) async {
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
        case joined(any Link, address: String)
        case ended(SSHSession.End)
    }

    /// Starts the agent, and waits until it has joined.
    private func startAgent(
        _ program: [UInt8], _ command: SSHCommand, _ step: SSHFailure.Step
    ) async throws -> (SSHSession, any Link, address: String) {
        let line = try options.shell.commandLine(for: remoteCommand(program))
        let words = try command.words(running: line)
        let arrival = Eventual<Arrival>()
        let tunnelPort = Eventual<Int?>()
        let target = port.port
        let invitation = try port.invite(1, for: options.startLimit + .seconds(10), key: nil) { link, address, _ in
            if !arrival.fulfil(.joined(link, address: address)) { link.close() }
        }
        defer { invitation.revoke() }
        let session = try await SSHSession.start(words) { source, line in
            guard source == .error else { return }
            if let port = AllocatedPort.port(in: String(decoding: line, as: UTF8.self), to: target) {
                tunnelPort.fulfil(port)
            }
        }
        session.expire(after: options.startLimit.seconds)
        session.whenEnded { end in
            arrival.fulfil(.ended(end))
            tunnelPort.fulfil(nil)
        }
        return try await withTaskCancellationHandler {
            if !options.tunnel {
                session.send(try invitation.secretText(addresses: nil, port: nil))
            } else {
                var end = host.bindPort
                if end == nil { end = await tunnelPort.get() }
                if let end {
                    session.send(try invitation.secretText(addresses: [host.bindAddress ?? "127.0.0.1"], port: end))
                }
            }
            session.finishInput()
            switch await arrival.get() {
            case .joined(let link, let address):
                session.expire(after: nil)
                return (session, link, address)
            case .ended(let end):
                try Task.checkCancellation()
                throw SSHFailure(step, command, end, limit: options.startLimit.seconds)
            }
        } onCancel: {
            session.kill()
        }
    }
}
