package import NetTypes
import STUN

extension Plan {
    /// How a path to `endpoint` is secured; nil where `transport` is not.
    ///
    /// - Parameter name: whom the certificate must name instead of the URI's host (ALTERNATE-DOMAIN).
    package func security(
        over transport: Transport, to server: Server, at endpoint: Endpoint, name: String? = nil
    ) -> PathSecurity? {
        guard transport == .tls || transport == .dtls else { return nil }
        let uri = server.uri
        let identity: SecureClientConfiguration.Identity
        switch (name, uri.host) {
        case (let name?, _): identity = .name(name)
        case (nil, .name(let name)): identity = .name(name.ascii)
        case (nil, .address(let address, _)): identity = .address(address)
        }
        var configuration = SecureClientConfiguration(
            transport == .tls ? .tls : .dtls, identity: identity, wallClock: trust.wallClock, peer: endpoint)
        configuration.applicationProtocols = [uri.scheme.isTURN ? "stun.turn" : "stun.nat-discovery"]
        configuration.trustedPEM = trust.rootsPEM
        configuration.isInsecure = trust.isInsecure
        // Over DTLS the end of the wait says what was heard meanwhile: it is to come before the run's.
        configuration.handshakeLimit = transport == .tls ? timeout : timeout * 9 / 10
        return .client(configuration)
    }
}
