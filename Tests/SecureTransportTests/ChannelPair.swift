import NetTypes
import SecureTransport

/// A client and a server with nothing between them.
struct ChannelPair {
    let client: SecureChannel
    let server: SecureChannel
    var now = Instant.zero
    /// Bytes that went each way.
    var sent = 0
    var answered = 0

    static func configuration(
        _ kind: SecureProtocol, trusting root: ServerCredentials?,
        identity: SecureClientConfiguration.Identity = .name(Certificates.name),
        _ change: (inout SecureClientConfiguration) -> Void = { _ in }
    ) -> SecureClientConfiguration {
        var configuration = SecureClientConfiguration(kind, identity: identity, wallClock: Certificates.now)
        configuration.trustsSystemRoots = false
        configuration.trustedPEM = root?.chainPEM ?? []
        change(&configuration)
        return configuration
    }

    init(_ client: SecureClientConfiguration, _ server: SecureServerConfiguration) throws {
        self.client = try SecureChannel(client: client, at: .zero)
        self.server = try SecureChannel(server: server)
        self.server.setPeer(Endpoint(IPAddress(192, 0, 2, 1), 4711))
    }

    /// Carries bytes to and fro until both are silent.
    mutating func run() {
        var isMoving = true
        while isMoving {
            isMoving = false
            while let bytes = client.pollCiphertext() {
                sent += bytes.count
                server.receive(bytes, at: now)
                isMoving = true
            }
            while let bytes = server.pollCiphertext() {
                answered += bytes.count
                client.receive(bytes, at: now)
                isMoving = true
            }
        }
    }

    var refusal: SecureRefusal? {
        if case .failed(let refusal) = client.state { return refusal }
        return nil
    }

    var serverRefusal: SecureRefusal? {
        if case .failed(let refusal) = server.state { return refusal }
        return nil
    }
}
