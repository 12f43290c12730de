package import JSON
package import STUN

/// The servers of a W3C `RTCConfiguration`, as providers hand them out.
///
/// Read are `{"iceServers": [...]}`, a bare list, and a single server. `urls` is a string or a list (`url` is read as
/// well). `iceServers` may itself be a single server, and be spelled `ice_servers`.
package struct ICEServers: Sendable {
    package enum CredentialType: String, Sendable {
        case password
        /// RFC 7635: a key and an access token.
        case oauth
    }

    /// What a server is told to know its user by.
    package struct Credentials: Sendable, Equatable {
        /// With `oauth` the key id.
        package var username: String?
        package var type: CredentialType
        /// The password, or the MAC key of `oauth` (base64, as the token is).
        package var credential: Secret?
        /// With `oauth` only.
        package var accessToken: Secret?
        /// When the token expires, in seconds since 1970, where that is known.
        package var expiry: Int64?

        package init(
            username: String? = nil, type: CredentialType = .password, credential: Secret? = nil,
            accessToken: Secret? = nil, expiry: Int64? = nil
        ) {
            self.username = username
            self.type = type
            self.credential = credential
            self.accessToken = accessToken
            self.expiry = expiry
        }
    }

    /// One URI with the credentials of the server that it stood in.
    package struct Entry: Sendable, Equatable {
        package var uri: ServerURI
        package var credentials: Credentials
        /// Where it stood: `iceServers[1].urls[0]`.
        package var place: String

        package static let argument = "argument"
        package var isArgument: Bool { place == Self.argument }

        package init(uri: ServerURI, credentials: Credentials = Credentials(), place: String = Entry.argument) {
            self.uri = uri
            self.credentials = credentials
            self.place = place
        }

        package var username: String? { credentials.username }
        package var credential: Secret? { credentials.credential }
    }

    /// In the order of the text; URIs that stand twice are kept.
    package let entries: [Entry]

    /// 1 MiB.
    package static let byteLimit = 1 << 20
    /// The most URIs that one configuration may have.
    package static let entryLimit = 1000

    package init(parsing bytes: [UInt8]) throws(ICEServersError) {
        guard bytes.count <= Self.byteLimit else {
            throw ICEServersError(place: "byte \(Self.byteLimit)", message: "a configuration has at most 1 MiB")
        }
        let json: PlacedJSON
        do { json = try PlacedJSON(parsing: bytes) } catch {
            let (line, column) = error.place(in: bytes)
            throw ICEServersError(place: "line \(line), column \(column)", message: "not JSON: \(error.message)")
        }
        try self.init(json)
    }

    package init(_ json: PlacedJSON) throws(ICEServersError) {
        var reader = ICEServersReader()
        try reader.read(json)
        entries = reader.entries
    }

    /// Whether an object looks like one of the shapes that are read here.
    package static func isRecognised(_ json: PlacedJSON) -> Bool {
        switch json.value {
        case .object:
            ["iceServers", "ice_servers", "urls", "url"].contains { json[$0] != nil }
        case .array(let servers):
            servers.contains { $0["urls"] != nil || $0["url"] != nil }
        default: false
        }
    }
}

/// Why a text is not a configuration: the place and the right form, never a value of it but a URI.
package struct ICEServersError: Error, Hashable, Sendable, CustomStringConvertible {
    /// `iceServers[1].urls`, or `line 3, column 7` where the text is not JSON.
    package let place: String
    /// One sentence.
    package let message: String

    package var description: String { "\(place): \(message)" }
}
