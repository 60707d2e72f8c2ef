import NIOCore
import NIOSSL

/// The one way in which connections are proven and encrypted: TLS 1.2 with a pre-shared key, elliptic curves for forward
/// secrecy, and ChaCha20 (DESIGN: D6). No certificates, no renegotiation.
///
/// Each connection has a context of its own. So the key that a handshake used is known without asking the other side
/// again; and nothing can be resumed, because a session ticket is good for the context that gave it only.
enum Cryptography {
    /// `TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256`, RFC 7905.
    private static let cipher = NIOTLSCipher(rawValue: 0xCCAC)

    private static var configuration: TLSConfiguration {
        var configuration = TLSConfiguration.makePreSharedKeyConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.maximumTLSVersion = .tlsv12
        configuration.cipherSuiteValues = [cipher]
        configuration.trustRoots = nil
        configuration.renegotiationSupport = .none
        // Waits for the other side to confirm the end; nothing is lost if it does not.
        configuration.shutdownTimeout = .seconds(1)
        return configuration
    }

    /// The handler for a connection that came.
    ///
    /// - Parameter find: Given the identity that the other side names, its key. Without one the handshake goes on with a
    ///   random key and fails at its end, so that the other side can't tell an unknown identity from a wrong key.
    static func server(
        find: @escaping @Sendable (LaunchIdentity) -> LaunchKey?
    ) throws -> NIOSSLServerHandler {
        var configuration = configuration
        configuration.pskServerProvider = { request in
            let key = LaunchIdentity(request.clientIdentity).flatMap { find($0) } ?? .random()
            return PSKServerIdentityResponse(key: secure(key))
        }
        return NIOSSLServerHandler(context: try NIOSSLContext(configuration: configuration))
    }

    /// The handler for a connection that this side made.
    static func client(_ launch: LaunchKeys.Launch) throws -> NIOSSLClientHandler {
        var configuration = configuration
        configuration.pskClientProvider = { _ in
            PSKClientIdentityResponse(key: secure(launch.key), identity: launch.identity.description)
        }
        return try NIOSSLClientHandler(context: try NIOSSLContext(configuration: configuration), serverHostname: nil)
    }

    private static func secure(_ key: LaunchKey) -> NIOSSLSecureBytes {
        var bytes = NIOSSLSecureBytes()
        bytes.append(key.bytes)
        return bytes
    }
}
