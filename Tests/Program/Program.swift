import Muster

@main struct Program {
    static func main() async throws {
        print("held back")
        try await withCluster(.local(2)) { cluster in
            print(cluster.workers)
            print(try await cluster.pmap(1...10) { $0 * $0 })
            let foo = [1.0, 2.0]
            print(try await cluster.pmap(1...10, capturing: foo) { i, foo in foo.reduce(0, +) + Double(i) })
            print(try await cluster.pmap(["a", "b"].enumerated()) { i, x in "\(i)\(x)" })
            print(try await cluster.pmap(zip([1, 2], ["a", "b"])) { x, y in "\(x)\(y)" })
            print(try await cluster.pmap(zip([1, 2], ["a", "b"])) { pair in "\(pair.0)" })
            print(try await cluster.pmap(["k": 1]) { k, v in "\(k)\(v)" })
            print(try await cluster.pmap(["k": 1], capturing: foo) { k, v, foo in "\(k)\(v)\(foo)" })
            print(try await cluster.pmap(["k": 1]) { $0.key })
            print(try await cluster.pmap([1, 2].enumerated()) { $0.offset + $0.element })
            print(try await cluster.pmap(1...4) { (Worker.id, $0) })
            try await cluster.pmap(1...4) { print("hello \($0)") }
            print(try await cluster.remoteCallFetch(on: .any) { (hostName(), processID()) })
            print(try await cluster.remoteCallFetch(on: 3, capturing: 3) { x in x * 2 })
        }
    }
}
