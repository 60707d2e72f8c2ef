import Remote
import Testing

@testable import ClusterRuntime

@Suite("ClusterTopology")
struct ClusterTopologyTests {
    private typealias Place = ClusterTopology.Place

    private let driver = Place(.driver)
    private let one = Place(2, identity: "a")
    private let two = Place(3, identity: "b", connectsTo: ["a"])
    private let three = Place(4, identity: "c", connectsTo: ["nobody"])
    private let nameless = Place(5)

    private var everybody: [Place] { [driver, one, two, three, nameless] }

    @Test(
        "every process may call itself and the driver, and the driver everybody",
        arguments: [ClusterTopology.allToAll(), .allToAll(lazy: false), .driverWorker, .custom])
    func driver(topology: ClusterTopology) {
        for place in everybody {
            #expect(topology.mayCall(from: place, to: place))
            #expect(topology.mayCall(from: place, to: driver) && topology.mayCall(from: driver, to: place))
        }
    }

    @Test("all to all is all to all, lazily or not")
    func allToAll() {
        for place in everybody {
            for other in everybody { #expect(ClusterTopology.allToAll().mayCall(from: place, to: other)) }
        }
        #expect(ClusterTopology.allToAll().isLazy && !ClusterTopology.allToAll(lazy: false).isLazy)
    }

    @Test("workers that only know their driver may not call each other")
    func driverWorker() {
        #expect(!ClusterTopology.driverWorker.mayCall(from: one, to: two))
        let error = #expect(throws: ClusterError.self) { try ClusterTopology.driverWorker.check(from: one, to: two) }
        #expect(error?.code == .notConnected)
        #expect(error?.description.contains("worker 2 has no link to worker 3") == true)
        #expect(error?.description.contains(".allToAll()") == true)
    }

    @Test("in a topology of one's own it is enough that one names the other")
    func custom() throws {
        let topology = ClusterTopology.custom
        #expect(topology.mayCall(from: two, to: one) && topology.mayCall(from: one, to: two))
        #expect(!topology.mayCall(from: one, to: three) && !topology.mayCall(from: three, to: one))
        #expect(!topology.mayCall(from: nameless, to: two) && !topology.mayCall(from: two, to: nameless))
        let error = #expect(throws: ClusterError.self) { try topology.check(from: one, to: three) }
        #expect(error?.description.contains("connectsTo") == true)
        try topology.check(from: one, to: two)
    }
}
