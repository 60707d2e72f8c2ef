import Glibc
import NIOCore
import NIOPosix
import NIOSSL

/// What went wrong with a connection, for people.
enum Reason {
    /// The words; nothing that the other side has sent is in them.
    ///
    /// - Parameter isDriver: Whether it is a driver that was to be reached, by its join file.
    static func words(_ error: any Error, isDriver: Bool = false) -> String {
        switch error {
        case let error as IOError: words(error.errnoCode)
        case let error as NIOConnectionError:
            error.connectionErrors.first.map { words($0.error) } ?? "there is no such host"
        case is SocketAddressError: "it is no numeric address"
        case ChannelError.connectTimeout: "nobody answered in time"
        case _ where isCutOff(error): "the connection was cut off"
        case NIOSSLError.handshakeFailed where isDriver:
            """
            this key is not valid there: its driver has ended, this file is of an earlier one or used up, or it is none of \
            ours that listens; use the file of the driver that runs now
            """
        case NIOSSLError.handshakeFailed:
            "it does not have this key, or the key is not valid there any more, or it is none of ours"
        // What the library says names lines of its source.
        case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError: "what arrives is not from who has the key"
        case let error as JoinError: error.description
        default: "\(error)"
        }
    }

    /// Whether the connection was ended without a word, as a listener does that has too many.
    static func isCutOff(_ error: any Error) -> Bool {
        switch error {
        case let error as IOError: error.errnoCode == ECONNRESET || error.errnoCode == EPIPE
        case NIOSSLError.handshakeFailed(.sslError(let errors)): errors == [.eofDuringHandshake]
        case NIOSSLError.handshakeFailed(.zeroReturn), NIOSSLError.uncleanShutdown: true
        default: false
        }
    }

    /// Whether there is such a host, and nobody listens there, or nothing gets there.
    static func isNobody(_ error: any Error) -> Bool {
        switch error {
        case is IOError: true
        case let error as NIOConnectionError: !error.connectionErrors.isEmpty
        default: false
        }
    }

    /// Whether there is such a host, and nobody listens at this port.
    static func isRefused(_ error: any Error) -> Bool {
        switch error {
        case let error as IOError: error.errnoCode == ECONNREFUSED
        case let error as NIOConnectionError:
            !error.connectionErrors.isEmpty && error.connectionErrors.allSatisfy { isRefused($0.error) }
        default: false
        }
    }

    private static func words(_ code: CInt) -> String { unsafe String(cString: strerror(code)) }
}
