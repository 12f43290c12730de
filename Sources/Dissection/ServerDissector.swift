import JSON
import NetTypes
import Planning
import STUN

/// The parts of a server's URI.
enum ServerDissector {
    static func nodes(_ uri: ServerURI) -> [Node] {
        var nodes = [Node("scheme", uri.scheme.rawValue, note: meaning(uri.scheme))]
        switch uri.host {
        case .address(let address, let zone):
            var node = Node("address", "\(address)", note: address.realm.rawValue)
            if uri.lacksZone {
                node.refuse("a link-local address says on which interface: [fe80::1%25eth0] (RFC 4007 s11)", at: nil)
            }
            nodes.append(node)
            if let zone { nodes.append(Node("interface", zone)) }
        case .name(let name):
            let note = name.display == name.ascii ? nil : "asked for in the DNS as \(name.ascii)"
            nodes.append(Node("host", name.display, note: note))
        }
        nodes.append(
            Node(
                "port", "\(uri.effectivePort)",
                note: uri.port == nil ? "the default; SRV records may say otherwise" : nil))
        if let transport = uri.transport { nodes.append(Node("transport", transport.rawValue)) }
        nodes.append(Node("canonical form", uri.text))
        return nodes
    }

    private static func meaning(_ scheme: ServerURI.Scheme) -> String {
        switch scheme {
        case .stun: "STUN over UDP or TCP (RFC 7064)"
        case .stuns: "STUN over TLS or DTLS (RFC 7064)"
        case .turn: "TURN over UDP or TCP (RFC 7065)"
        case .turns: "TURN over TLS or DTLS (RFC 7065)"
        }
    }
}

/// The servers of a configuration.
enum ICEServersDissector {
    static func dissect(_ json: PlacedJSON, byteCount: Int) -> Dissection? {
        guard ICEServers.isRecognised(json) else { return nil }
        do {
            let entries = try ICEServers(json).entries
            return Dissection(.iceServers, .text, byteCount: byteCount, nodes: entries.map(node).limited())
        } catch {
            return Dissection(.iceServers, .text, byteCount: byteCount, breaking: error.description, at: nil)
        }
    }

    private static func node(_ entry: ICEServers.Entry) -> Node {
        var node = Node(entry.place, entry.uri.text, children: ServerDissector.nodes(entry.uri))
        if let username = entry.username {
            node.children.append(Node("username", username, note: expiry(username)))
        }
        if entry.credential != nil {
            node.children.append(Node("credential", "[secret]", note: "of the type \(entry.credentials.type.rawValue)"))
        }
        if entry.uri.scheme.isTURN, entry.username == nil || entry.credential == nil {
            node.refuse("a TURN server has a username and a credential (W3C RTCIceServer)", at: nil)
        }
        return node
    }

    /// The user names of time-limited credentials begin with the second at which they end.
    private static func expiry(_ username: String) -> String? {
        let digits = username.prefix(while: \.isNumber)
        guard digits.utf8.count == 10, username.dropFirst(10).first.map({ $0 == ":" }) ?? true, Int(digits) != nil
        else {
            return nil
        }
        return "as of time-limited credentials: valid until \(digits) in Unix time"
    }
}
