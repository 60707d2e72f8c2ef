package import NIOCore
import NIOPosix

/// The threads on which connections between hosts are served.
///
/// A few for the whole process, whatever the number of connections; they never end.
package enum NetworkThreads {
    /// Up to four, as there are CPUs.
    package static let shared: any EventLoopGroup = MultiThreadedEventLoopGroup(
        numberOfThreads: min(4, max(1, System.coreCount)))
}
