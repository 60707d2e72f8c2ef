import Muster

@inline(never)
func fold(_ sheet: Int) throws -> Int {
    if sheet == 3 { throw OutOfInk(colour: "white") }
    return sheet
}

@inline(never)
func bind(_ sheet: Int) throws -> Int {
    try fold(sheet) + 1
}

@inline(never)
func foldTyped(_ sheet: Int) throws(OutOfInk) -> Int {
    if sheet == 3 { throw OutOfInk(colour: "grey") }
    return sheet
}

/// Throws on what it caught, after another error was thrown and caught.
@inline(never)
func bindCarefully(_ sheet: Int) throws -> Int {
    do {
        return try bind(sheet)
    } catch {
        do { try tidyUp() } catch {}
        throw error
    }
}

@inline(never)
func tidyUp() throws { throw NoPaper() }

@inline(never)
func bindLater(_ sheet: Int) async throws -> Int {
    await Task.yield()
    return try bind(sheet)
}

/// The names of the functions on the stack of an error, innermost first.
private func sayStack(_ name: String, _ work: () async throws -> Void) async {
    do {
        try await work()
        say(name, "no error")
    } catch {
        let remote = (error as? MapError)?.first.error as? RemoteError ?? error as? RemoteError
        say(name, remote?.stack.map(\.description) ?? [account(of: error)])
    }
}

let throwSites: [String: Program.Scenario] = [
    "throw-sites": { _ in
        try await withCluster(.local(1)) { cluster in
            await sayStack("plain") { _ = try await cluster.pmap(0..<5) { try bind($0) } }
            await sayStack("caught") { _ = try await cluster.pmap(0..<5) { try bindCarefully($0) } }
            await sayStack("typed") { _ = try await cluster.pmap(0..<5) { try foldTyped($0) } }
            await sayStack("async") { _ = try await cluster.pmap(0..<5) { try await bindLater($0) } }
            await sayStack("here") { _ = try await cluster.pmap(0..<5, distributed: false) { try bind($0) } }
            await sayStack("call") { try await cluster.remoteCallFetch { _ = try bind(3) } }
            do {
                _ = try await cluster.pmap(0..<2000, onError: { _ in 0 }, body: RemoteFunction { _ in try bind(3) })
                try await cluster.remoteCallFetch { _ = try bind(3) }
            } catch let error as RemoteError {
                say("site", error.callSite, error.description.hasSuffix("; called at \(error.callSite)"))
                say("lines", error.stackDescription.split(separator: "\n").count == error.stack.count + 1)
            }
        }
    }
]
