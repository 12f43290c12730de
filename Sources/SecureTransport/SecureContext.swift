import COpenSSL
package import NetTypes

/// What the channels of one configuration share: the trusted roots, or a server's certificate. Making it costs
/// milliseconds, a channel on it microseconds.
package final class SecureContext {
    let handle: OpaquePointer
    let isServer: Bool
    let kind: SecureProtocol
    /// What OpenSSL writes into; one record with its overhead fits.
    let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 17_000)

    package convenience init(client configuration: SecureClientConfiguration) throws(SecureFailure) {
        var options = copenssl_context_options()
        options.uses_system_roots = configuration.trustsSystemRoots ? 1 : 0
        try self.init(
            options, configuration.kind, configuration.applicationProtocols,
            versions: (configuration.lowestVersion, configuration.highestVersion), trusted: configuration.trustedPEM,
            configuration.credentials)
    }

    package convenience init(server configuration: SecureServerConfiguration) throws(SecureFailure) {
        var options = copenssl_context_options()
        options.is_server = 1
        options.requires_client_certificate = configuration.requiresClientCertificate ? 1 : 0
        options.trusts_peer_address = configuration.trustsPeerAddress ? 1 : 0
        options.requires_protocol = configuration.requiresProtocol ? 1 : 0
        try self.init(
            options, configuration.kind, configuration.applicationProtocols,
            versions: (configuration.lowestVersion, configuration.highestVersion), configuration.credentials,
            ciphers: configuration.ciphers)
    }

    private init(
        _ options: copenssl_context_options, _ kind: SecureProtocol, _ protocolNames: [String],
        versions: (lowest: UInt16?, highest: UInt16?), trusted: [UInt8] = [], _ credentials: ServerCredentials?,
        ciphers: String? = nil
    ) throws(SecureFailure) {
        isServer = options.is_server != 0
        self.kind = kind
        var options = options
        options.is_datagram = kind == .dtls ? 1 : 0
        options.lowest_version = Int32(versions.lowest ?? 0)
        options.highest_version = Int32(versions.highest ?? 0)
        let protocols = try Self.protocolList(protocolNames)
        let chain = credentials?.chainPEM ?? []
        let key = credentials?.keyPEM ?? []
        let reason = UnsafeMutablePointer<CChar>.allocate(capacity: 256)
        defer { reason.deallocate() }
        reason.initialize(repeating: 0, count: 256)
        let made = protocols.withUnsafeBufferPointer { protocols in
            trusted.withUnsafeBufferPointer { trusted in
                chain.withUnsafeBufferPointer { chain in
                    key.withUnsafeBufferPointer { key in
                        withOptionalCString(ciphers) { ciphers in
                            options.ciphers = ciphers
                            options.protocols = protocols.baseAddress
                            options.protocols_size = protocols.count
                            options.trusted = trusted.baseAddress
                            options.trusted_size = trusted.count
                            options.chain = chain.baseAddress
                            options.chain_size = chain.count
                            options.key = key.baseAddress
                            options.key_size = key.count
                            return copenssl_context_make(&options, reason)
                        }
                    }
                }
            }
        }
        guard let made else { throw SecureFailure(.unusableConfiguration, String(cString: reason)) }
        handle = made
    }

    deinit {
        copenssl_context_free(handle)
        buffer.deallocate()
    }

    /// The protocols as the extension lists them (RFC 7301 s3.1).
    private static func protocolList(_ names: [String]) throws(SecureFailure) -> [UInt8] {
        var list: [UInt8] = []
        for name in names {
            guard (1...255).contains(name.utf8.count) else {
                throw SecureFailure(.unusableConfiguration, "a protocol's name has 1 to 255 bytes")
            }
            list.append(UInt8(name.utf8.count))
            list += name.utf8
        }
        return list
    }
}

/// Hands over a C string, or NULL.
func withOptionalCString<Result>(_ text: String?, _ body: (UnsafePointer<CChar>?) -> Result) -> Result {
    guard let text else { return body(nil) }
    return text.withCString { body($0) }
}
