package import NetTypes

/// A STUN or TURN server as a URI (RFC 7064, RFC 7065) or as a bare `host[:port]` names it.
package struct ServerURI: Hashable, Sendable {
    package enum Scheme: String, Hashable, Sendable, CaseIterable {
        case stun, stuns, turn, turns

        /// Whether it is TLS over TCP, or DTLS over UDP (RFC 7350).
        package var isSecure: Bool { self == .stuns || self == .turns }
        /// Whether it asks for a relay.
        package var isTURN: Bool { self == .turn || self == .turns }
        /// 3478, or 5349 where it is secure (RFC 8489 s18.6, RFC 8656 s18.5).
        package var defaultPort: UInt16 { isSecure ? 5349 : 3478 }
    }

    package enum Transport: String, Hashable, Sendable, CaseIterable {
        case udp, tcp
    }

    package enum Host: Hashable, Sendable {
        /// A literal; `zone` is the interface (name or number) of a scoped IPv6 address (RFC 4007).
        case address(IPAddress, zone: String?)
        case name(DomainName)
    }

    package var scheme: Scheme
    package var host: Host
    /// The port, where the URI gives one.
    package var port: UInt16?
    /// What `?transport=` asks for; never set with `stun` and `stuns`.
    package var transport: Transport?

    package init(scheme: Scheme, host: Host, port: UInt16? = nil, transport: Transport? = nil) {
        self.scheme = scheme
        self.host = host
        self.port = port
        self.transport = transport
    }

    /// Reads a URI, or a bare host as one of `defaultScheme`.
    package init(parsing input: String, defaultScheme: Scheme = .stun) throws(URIError) {
        self = try ServerURIParser(input, defaultScheme: defaultScheme).parse()
    }

    package var defaultPort: UInt16 { scheme.defaultPort }
    /// The port of the URI, else the scheme's; SRV records may say otherwise where the URI has none.
    package var effectivePort: UInt16 { port ?? defaultPort }

    /// The URI in one spelling: lower case, A-labels, RFC 5952, no default filled in.
    package var text: String {
        var text = "\(scheme.rawValue):\(host)"
        if let port { text += ":\(port)" }
        if let transport { text += "?transport=\(transport.rawValue)" }
        return text
    }

    /// Whether it is an IPv6 link-local literal that does not say on which link (RFC 4007 s11): it reaches nothing.
    package var lacksZone: Bool {
        guard case .address(let address, nil) = host else { return false }
        return address.family == .ipv6 && address.isLinkLocal
    }
}

extension ServerURI: CustomStringConvertible {
    package var description: String { text }
}

/// As its text.
extension ServerURI: Codable {
    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        do {
            try self.init(parsing: text)
        } catch {
            throw Swift.DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "\(error)"))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}

extension ServerURI.Host: CustomStringConvertible {
    /// As it stands in a URI; a zone is written as RFC 6874 has it.
    package var description: String {
        switch self {
        case .address(let address, _) where address.family == .ipv4: "\(address)"
        case .address(let address, let zone): "[\(address)\(zone.map { "%25" + $0 } ?? "")]"
        case .name(let name): name.ascii
        }
    }
}

/// Why a text is not a server: where, and what would be right.
package struct URIError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The text, fit to be shown; a password before `@` is left out.
    package let input: QuotedInput
    /// Bytes from the start of the text.
    package let offset: Int
    /// One sentence: what is wrong, and the right form.
    package let message: String

    package init(_ input: String, offset: Int, _ message: String) {
        self.input = Self.withoutUserinfo(input)
        self.offset = offset
        self.message = message
    }

    package var description: String { "'\(input)' is not a STUN or TURN URI: \(message)" }

    private static func withoutUserinfo(_ input: String) -> QuotedInput {
        guard let at = input.lastIndex(of: "@") else { return QuotedInput(input) }
        return QuotedInput("..." + input[at...])
    }
}
