/// Decides from times alone whether a worker has been silent for too long.
///
/// A look that comes late (this process was stopped, or the machine very busy) proves nothing against the worker: the
/// silence is then counted from that look on.
package struct HeartbeatMonitor: Sendable {
    /// Seconds of silence after which a worker counts as lost.
    package let limit: Double
    /// Seconds from one look to the next.
    package var interval: Double { limit / 4 }

    private var lastLook: Double
    private var notBefore: Double

    /// Starts counting at time `now`, in seconds.
    package init(limit: Double, now: Double) {
        self.limit = limit
        lastLook = now
        notBefore = now
    }

    /// Whether the worker, last heard at `heard`, is lost at time `now`; returns the silence in seconds if so.
    package mutating func look(now: Double, heard: Double) -> Double? {
        if now - lastLook > 2 * interval { notBefore = now }
        lastLook = now
        let silence = now - max(heard, notBefore)
        return silence > limit ? silence : nil
    }
}
