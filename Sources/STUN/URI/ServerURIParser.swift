import NetTypes

/// Reads RFC 7064/7065 URIs and bare hosts, byte by byte, so that each refusal knows its place.
struct ServerURIParser {
    /// Longer than any name with a scheme, a port and a query.
    static let limit = 2048

    private let input: String
    private let bytes: [UInt8]
    private let defaultScheme: ServerURI.Scheme

    init(_ input: String, defaultScheme: ServerURI.Scheme) {
        self.input = input
        self.defaultScheme = defaultScheme
        bytes = Array(input.utf8.prefix(Self.limit + 1))
    }

    func parse() throws(URIError) -> ServerURI {
        guard bytes.count <= Self.limit else {
            throw error(Self.limit, "a server is named in at most \(Self.limit) bytes")
        }
        guard !bytes.isEmpty else { throw error(0, "a server is missing: write it as stun:example.org:3478") }
        if let bad = bytes.firstIndex(where: { $0 < 0x20 || $0 == 0x7F }) {
            throw error(bad, "a URI has no control characters")
        }
        if let space = bytes.firstIndex(of: UInt8(ascii: " ")) { throw error(space, "a URI has no spaces") }

        let written = try scheme()
        let scheme = written ?? defaultScheme
        let start = written.map { $0.rawValue.utf8.count + 1 } ?? 0
        if let at = bytes[start...].lastIndex(of: UInt8(ascii: "@")) {
            let server = QuotedInput(text((at + 1)..<bytes.count))
            throw error(
                at,
                "it has no user name or password: give them with --user and --password, and write "
                    + "\(scheme.rawValue):\(server)")
        }
        if bytes[start...].starts(with: "//".utf8) {
            let rest = QuotedInput(text((start + 2)..<bytes.count))
            throw error(start, "a server URI has no '//': write \(scheme.rawValue):\(rest)")
        }
        if let bad = bytes[start...].firstIndex(where: { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "#") }) {
            throw error(bad, "a server URI ends with its port or ?transport=, without a path or fragment")
        }
        let query = bytes[start...].firstIndex(of: UInt8(ascii: "?"))
        let authority = start..<(query ?? bytes.count)
        let (host, port) = try hostAndPort(authority, isBare: written == nil)
        let transport: ServerURI.Transport?
        if let query { transport = try self.transport(query, scheme) } else { transport = nil }
        return ServerURI(scheme: scheme, host: host, port: port, transport: transport)
    }

    /// The scheme that the text begins with, in any case (RFC 3986 s3.1), or nil for a bare host.
    private func scheme() throws(URIError) -> ServerURI.Scheme? {
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        if let scheme = ServerURI.Scheme(rawValue: text(0..<colon).lowercased()) { return scheme }
        if bytes[(colon + 1)...].starts(with: "//".utf8) {
            throw error(0, "the scheme is one of stun:, stuns:, turn: and turns:, as in stun:example.org:3478")
        }
        return nil
    }

    // MARK: Host and port

    private func hostAndPort(_ range: Range<Int>, isBare: Bool) throws(URIError) -> (ServerURI.Host, UInt16?) {
        if bytes[range].first == UInt8(ascii: "[") {
            guard let close = bytes[range].firstIndex(of: UInt8(ascii: "]")) else {
                throw error(range.lowerBound, "'[' has no ']': an IPv6 address is written as [2001:db8::1]:3478")
            }
            let host = try literal((range.lowerBound + 1)..<close)
            guard close + 1 < range.upperBound else { return (host, nil) }
            guard bytes[close + 1] == UInt8(ascii: ":") else {
                throw error(close + 1, "only a port follows ']', as in [2001:db8::1]:3478")
            }
            return (host, try port((close + 2)..<range.upperBound))
        }
        let colons = bytes[range].count { $0 == UInt8(ascii: ":") }
        if colons > 1 {
            guard isBare else {
                throw error(range.lowerBound, "an IPv6 address stands in brackets in a URI, as in stun:[2001:db8::1]")
            }
            return (try literal(range), nil)
        }
        let colon = bytes[range].firstIndex(of: UInt8(ascii: ":"))
        let host = try plainHost(range.lowerBound..<(colon ?? range.upperBound))
        guard let colon else { return (host, nil) }
        return (host, try port((colon + 1)..<range.upperBound))
    }

    private func plainHost(_ range: Range<Int>) throws(URIError) -> ServerURI.Host {
        guard !range.isEmpty else { throw error(range.lowerBound, "the host is missing, as in stun:example.org:3478") }
        let text = text(range)
        if let address = IPAddress(text) { return .address(address, zone: nil) }
        if let percent = bytes[range].firstIndex(of: UInt8(ascii: "%")) {
            throw error(percent, "a host name is written as it is, without percent-encoding")
        }
        do { return .name(try DomainName(text)) } catch {
            throw self.error(range.lowerBound + error.offset, error.message)
        }
    }

    /// An IPv6 address with or without a zone, which `%` or `%25` begins (RFC 6874).
    private func literal(_ range: Range<Int>) throws(URIError) -> ServerURI.Host {
        let percent = bytes[range].firstIndex(of: UInt8(ascii: "%"))
        let end = percent ?? range.upperBound
        guard let address = IPAddress(text(range.lowerBound..<end)), address.family == .ipv6 else {
            throw error(
                range.lowerBound, "this is not an IPv6 address; with a port it is written as [2001:db8::1]:3478")
        }
        guard let percent else { return .address(address, zone: nil) }
        // A bare `%25` is the interface with the number 25.
        let hasEscape = bytes[percent..<range.upperBound].starts(with: "%25".utf8) && percent + 3 < range.upperBound
        let zone = (percent + (hasEscape ? 3 : 1))..<range.upperBound
        guard (1...32).contains(zone.count), bytes[zone].allSatisfy(Self.isUnreserved) else {
            throw error(percent, "an interface follows '%', as in [fe80::1%25eth0]")
        }
        return .address(address, zone: text(zone))
    }

    private func port(_ range: Range<Int>) throws(URIError) -> UInt16 {
        guard !range.isEmpty else { throw error(range.lowerBound, "a port from 1 to 65535 follows ':'") }
        guard bytes[range].allSatisfy({ (0x30...0x39).contains($0) }) else {
            throw error(range.lowerBound, "a port is a number from 1 to 65535, as in stun:example.org:3478")
        }
        guard let port = UInt16(text(range)), port != 0 else {
            throw error(range.lowerBound, "port \(QuotedInput(text(range))) is not from 1 to 65535")
        }
        return port
    }

    // MARK: Query

    private func transport(_ query: Int, _ scheme: ServerURI.Scheme) throws(URIError) -> ServerURI.Transport {
        guard scheme.isTURN else {
            throw error(query, "\(scheme.rawValue): takes no ?transport=; TCP is asked for with --transport tcp")
        }
        let name = "transport="
        let value = query + 1 + name.utf8.count
        guard bytes.count >= value, text((query + 1)..<value).lowercased() == name else {
            throw error(query + 1, "only ?transport=udp or ?transport=tcp follows the host and port (RFC 7065 s3.1)")
        }
        guard let transport = ServerURI.Transport(rawValue: text(value..<bytes.count).lowercased()) else {
            throw error(value, "the transport is udp or tcp; TLS is asked for with turns:")
        }
        return transport
    }

    // MARK: Parts

    private func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    private func error(_ offset: Int, _ message: String) -> URIError { URIError(input, offset: offset, message) }

    /// RFC 3986 s2.3.
    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"): true
        default: false
        }
    }
}
