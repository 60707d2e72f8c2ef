import Glibc

/// What a worker inherits for its link, in this order, from the descriptor on that its role names.
struct WorkerDescriptors {
    /// A socket whose end tells of the driver's; what it carries is for links between workers.
    let socket: CInt
    /// Memory of the rings.
    let rings: CInt
    /// The eventfd that wakes the driver's poller.
    let bell: CInt
    /// Memory of the driver's segments, for reading.
    let driversArena: CInt
    /// Memory of the worker's own segments.
    let arena: CInt
    /// What the driver knows of the machine; empty if it has not looked.
    let topology: CInt

    init(socket: CInt, rings: CInt, bell: CInt, driversArena: CInt, arena: CInt, topology: CInt) {
        self.socket = socket
        self.rings = rings
        self.bell = bell
        self.driversArena = driversArena
        self.arena = arena
        self.topology = topology
    }

    /// Those that were inherited from `first` on.
    init(inheritedFrom first: CInt) {
        self.init(
            socket: first, rings: first + 1, bell: first + 2, driversArena: first + 3, arena: first + 4,
            topology: first + 5)
        for descriptor in list { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
    }

    var list: [CInt] { [socket, rings, bell, driversArena, arena, topology] }
}
