import Muster

@main struct Example {
    static func main() async throws {
        try await withCluster(.localAffinity(count: 2, mode: .balanced)) { cluster in
            // Results come in the order of the input.
            let squares = try await cluster.pmap(1...8) { $0 * $0 }
            print("squares:", squares)

            // What a body needs besides its element is named, and sent to a host once.
            let primes = [2, 3, 5, 7]
            let factors = try await cluster.pmap(10...15, capturing: primes) { number, primes in
                primes.filter { number % $0 == 0 }
            }
            print("prime factors below 10:", factors)

            // A call to one worker; its result may be a tuple.
            let (worker, process) = try await cluster.remoteCallFetch(on: .any) { (Worker.id, processID()) }
            print("worker \(worker) is a process of its own:", process != processID())
        }
    }
}
