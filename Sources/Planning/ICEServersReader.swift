import JSON
import STUN

/// Reads the shapes of ``ICEServers`` and says the JSON path of what is wrong.
struct ICEServersReader {
    private(set) var entries: [ICEServers.Entry] = []

    private static let shape = #"{"iceServers": [{"urls": "stun:example.org"}]}"#

    mutating func read(_ json: PlacedJSON) throws(ICEServersError) {
        switch json.value {
        case .array:
            try readServers(json, "iceServers")
        case .object:
            if let key = ["iceServers", "ice_servers"].first(where: { json[$0] != nil }), let list = json[key] {
                try readServers(list, key)
            } else if json["urls"] != nil || json["url"] != nil {
                try readServer(json, "server")
            } else {
                throw error("the object", "'iceServers' is missing: write \(Self.shape)")
            }
        default:
            throw error("the value", "this is \(json.value.name), and a configuration is an object: \(Self.shape)")
        }
        if entries.isEmpty { throw error("iceServers", "no server stands in it: write \(Self.shape)") }
    }

    private mutating func readServers(_ json: PlacedJSON, _ place: String) throws(ICEServersError) {
        switch json.value {
        case .array(let servers):
            for (index, server) in servers.enumerated() { try readServer(server, "\(place)[\(index)]") }
        case .object:
            try readServer(json, place)
        default:
            throw error(place, "this is \(json.value.name), and it is a list of servers: \(Self.shape)")
        }
    }

    private mutating func readServer(_ server: PlacedJSON, _ place: String) throws(ICEServersError) {
        guard case .object = server.value else {
            throw error(
                place, #"this is \#(server.value.name), and a server is an object: {"urls": "stun:example.org"}"#)
        }
        let key = server["urls"] == nil ? "url" : "urls"
        guard let urls = server[key] else {
            throw error("\(place).urls", #"it is missing: write {"urls": "stun:example.org"}"#)
        }
        let credentials = try credentials(server, place)
        for (text, place) in try self.urls(urls, "\(place).\(key)") {
            guard entries.count < ICEServers.entryLimit else {
                throw error(place, "a configuration has at most \(ICEServers.entryLimit) URIs")
            }
            entries.append(.init(uri: try uri(text, place), credentials: credentials, place: place))
        }
    }

    private func urls(_ json: PlacedJSON, _ place: String) throws(ICEServersError) -> [(String, String)] {
        switch json.value {
        case .string(let text):
            return [(text, place)]
        case .array(let elements):
            guard !elements.isEmpty else { throw error(place, "the list is empty: it has at least one URI") }
            var urls: [(String, String)] = []
            for (index, element) in elements.enumerated() {
                urls.append((try string(element, "\(place)[\(index)]"), "\(place)[\(index)]"))
            }
            return urls
        default:
            throw error(place, "this is \(json.value.name), and it is a URI in double quotes or a list of them")
        }
    }

    private func uri(_ text: String, _ place: String) throws(ICEServersError) -> ServerURI {
        do throws(URIError) {
            let uri = try ServerURI(parsing: text)
            guard text.lowercased().hasPrefix("\(uri.scheme.rawValue):") else {
                throw URIError(text, offset: 0, "a URI here begins with stun:, stuns:, turn: or turns:")
            }
            return uri
        } catch {
            throw self.error(place, error.description)
        }
    }

    private func credentials(_ server: PlacedJSON, _ place: String) throws(ICEServersError) -> ICEServers.Credentials {
        var credentials = ICEServers.Credentials(username: try text(server, "username", place))
        if let type = try text(server, "credentialType", place) {
            guard let type = ICEServers.CredentialType(rawValue: type) else {
                throw error("\(place).credentialType", #"it is "password" or "oauth""#)
            }
            credentials.type = type
        }
        guard credentials.type == .oauth else {
            credentials.credential = try text(server, "credential", place).map { Secret($0) }
            return credentials
        }
        guard credentials.username != nil else {
            throw error("\(place).username", #"it is missing: with "oauth" it is the key id (kid) of the token"#)
        }
        guard let key = server["credential"], case .object = key.value else {
            throw error(
                "\(place).credential",
                #"with "oauth" it is an object of base64 texts: {"macKey": "...", "accessToken": "..."}"#)
        }
        credentials.credential = try base64(key, "macKey", "\(place).credential")
        credentials.accessToken = try base64(key, "accessToken", "\(place).credential")
        return credentials
    }

    /// A secret that is bytes in base64.
    private func base64(_ json: PlacedJSON, _ key: String, _ place: String) throws(ICEServersError) -> Secret {
        guard let text = try text(json, key, place) else {
            throw error("\(place).\(key)", "it is missing: it is a base64 text")
        }
        guard Base64.decode(text) != nil else {
            throw error("\(place).\(key)", "this is no base64 (RFC 4648), or an empty one")
        }
        return Secret(text)
    }

    /// A member that is a string, absent or null.
    private func text(_ json: PlacedJSON, _ key: String, _ place: String) throws(ICEServersError) -> String? {
        guard let value = json[key] else { return nil }
        if case .null = value.value { return nil }
        return try string(value, "\(place).\(key)")
    }

    private func string(_ json: PlacedJSON, _ place: String) throws(ICEServersError) -> String {
        guard case .string(let text) = json.value else {
            throw error(place, "this is \(json.value.name), and it is a string in double quotes")
        }
        return text
    }

    private func error(_ place: String, _ message: String) -> ICEServersError {
        ICEServersError(place: place, message: message)
    }
}
