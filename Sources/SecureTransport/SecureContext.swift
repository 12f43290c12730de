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

    package init(client configuration: SecureClientConfiguration) throws(SecureFailure) {
        isServer = false
        kind = configuration.kind
        let protocols = try Self.protocolList(configuration.applicationProtocols)
        let trusted = configuration.trustedPEM
        let chain = configuration.credentials?.chainPEM ?? []
        let key = configuration.credentials?.keyPEM ?? []
        handle = try Self.make { options, reason in
            options.is_datagram = configuration.kind == .dtls ? 1 : 0
            options.lowest_version = Int32(configuration.lowestVersion ?? 0)
            options.highest_version = Int32(configuration.highestVersion ?? 0)
            options.uses_system_roots = configuration.trustsSystemRoots ? 1 : 0
            return protocols.withUnsafeBufferPointer { protocols in
                trusted.withUnsafeBufferPointer { trusted in
                    chain.withUnsafeBufferPointer { chain in
                        key.withUnsafeBufferPointer { key in
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
    }

    package init(server configuration: SecureServerConfiguration) throws(SecureFailure) {
        isServer = true
        kind = configuration.kind
        let protocols = try Self.protocolList(configuration.applicationProtocols)
        handle = try Self.make { options, reason in
            options.is_server = 1
            options.is_datagram = configuration.kind == .dtls ? 1 : 0
            options.lowest_version = Int32(configuration.lowestVersion ?? 0)
            options.highest_version = Int32(configuration.highestVersion ?? 0)
            options.requires_client_certificate = configuration.requiresClientCertificate ? 1 : 0
            options.trusts_peer_address = configuration.trustsPeerAddress ? 1 : 0
            options.requires_protocol = configuration.requiresProtocol ? 1 : 0
            return protocols.withUnsafeBufferPointer { protocols in
                configuration.credentials.chainPEM.withUnsafeBufferPointer { chain in
                    configuration.credentials.keyPEM.withUnsafeBufferPointer { key in
                        withOptionalCString(configuration.ciphers) { ciphers in
                            options.ciphers = ciphers
                            options.protocols = protocols.baseAddress
                            options.protocols_size = protocols.count
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
    }

    deinit {
        copenssl_context_free(handle)
        buffer.deallocate()
    }

    private static func make(
        _ body: (inout copenssl_context_options, UnsafeMutablePointer<CChar>) -> OpaquePointer?
    ) throws(SecureFailure) -> OpaquePointer {
        var options = copenssl_context_options()
        let reason = UnsafeMutablePointer<CChar>.allocate(capacity: 256)
        defer { reason.deallocate() }
        reason.initialize(repeating: 0, count: 256)
        guard let handle = body(&options, reason) else {
            throw SecureFailure(.unusableConfiguration, String(cString: reason))
        }
        return handle
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
