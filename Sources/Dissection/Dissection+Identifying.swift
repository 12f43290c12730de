import JSON
import STUN

extension Dissection {
    /// What a text is, by how it begins.
    static func dissect(_ pasted: PastedText, _ credentials: Credentials?) -> Dissection {
        let text = pasted.text
        let lines = pasted.lines
        if text.hasPrefix("{") || text.hasPrefix("["), let json = dissect(json: pasted, credentials) { return json }
        if lines.allSatisfy({ CandidateDissector.isCandidate($0.text) }) {
            return candidates(lines, offset: pasted.offset, byteCount: text.utf8.count)
        }
        if SDPDissector.isDescription(lines) {
            let nodes = SDPDissector(lines, pasted.offset).nodes()
            return Dissection(.sdp, .text, byteCount: text.utf8.count, nodes: nodes)
        }
        if SignalingLineDissector.isLine(text) { return SignalingLineDissector.dissect(pasted) }
        if hasServerScheme(text) { return uri(pasted) }
        return dissect(encoded: pasted, credentials) ?? bareHost(pasted) ?? unknown(pasted)
    }

    private static func dissect(encoded pasted: PastedText, _ credentials: Credentials?) -> Dissection? {
        let hex = HexText(pasted)
        if let hex, hex.isDump || Demultiplexer.isMessage(hex.bytes) { return dissect(hex, credentials) }
        if let bytes = Base64.decode(pasted.text), Demultiplexer.isMessage(bytes) {
            var dissection = dissect(binary: bytes, credentials)
            dissection.encoding = .base64
            return dissection
        }
        // A broken message in hex still is one; base64 without a message inside may be any word.
        return hex.map { dissect($0, credentials) }
    }

    private static func dissect(_ hex: HexText, _ credentials: Credentials?) -> Dissection {
        var dissection = dissect(binary: hex.bytes, credentials)
        dissection.encoding = hex.isDump ? .hexDump : .hex
        dissection.problems += hex.problems
        return dissection
    }

    // MARK: JSON

    private static func dissect(json pasted: PastedText, _ credentials: Credentials?) -> Dissection? {
        let json: PlacedJSON
        do { json = try PlacedJSON(parsing: Array(pasted.text.utf8)) } catch {
            // `[2001:db8::1]:3478` and `{0x00, 0x01}` begin like JSON, too.
            if let other = HexText(pasted).map({ dissect($0, credentials) }) ?? bareHost(pasted) { return other }
            return Dissection(
                .iceServers, .text, byteCount: pasted.text.utf8.count,
                breaking: "not JSON: \(error.message) (RFC 8259)", at: pasted.offset + error.offset)
        }
        if let trickled = candidates(trickled: json) { return trickled }
        if case .string(let description)? = json["sdp"]?.value, let inner = PastedText(Array(description.utf8)) {
            return Dissection(
                .sdp, .text, byteCount: description.utf8.count, nodes: SDPDissector(inner.lines, inner.offset).nodes())
        }
        return ICEServersDissector.dissect(json, byteCount: pasted.text.utf8.count)
    }

    /// `RTCIceCandidate` objects as signalling passes them on: one, or a list (RFC 8838, W3C WebRTC s4.8).
    private static func candidates(trickled json: PlacedJSON) -> Dissection? {
        var objects = [json]
        if case .array(let elements) = json.value { objects = elements }
        var nodes: [Node] = []
        var byteCount = 0
        for object in objects {
            guard case .string(let line)? = object["candidate"]?.value else { return nil }
            nodes.append(node(trickled: object, line))
            byteCount += line.utf8.count
        }
        return nodes.isEmpty ? nil : Dissection(.candidates, .text, byteCount: byteCount, nodes: nodes.limited())
    }

    private static func node(trickled object: PlacedJSON, _ line: String) -> Node {
        var node =
            line.isEmpty
            ? Node("candidate", note: "the end of the candidates (RFC 8838 s13)")
            : CandidateDissector.node(line, offset: 0)
        for key in ["sdpMid", "sdpMLineIndex", "usernameFragment"] {
            switch object[key]?.value {
            case .string(let text), .number(let text): node.children.append(Node(key, text))
            default: break
            }
        }
        return node
    }

    // MARK: Lines

    private static func candidates(_ lines: [PastedText.Line], offset: Int, byteCount: Int) -> Dissection {
        let nodes = lines.prefix(nodeLimit).map { CandidateDissector.node($0.text, offset: offset + $0.offset) }
        let rest = lines.dropFirst(nodeLimit).map { Node("candidate", $0.text) }
        return Dissection(.candidates, .text, byteCount: byteCount, nodes: (nodes + rest).limited())
    }

    private static func hasServerScheme(_ text: String) -> Bool {
        let start = text.prefix(6).lowercased()
        return ServerURI.Scheme.allCases.contains { start.hasPrefix("\($0.rawValue):") }
    }

    private static func uri(_ pasted: PastedText) -> Dissection {
        let byteCount = pasted.text.utf8.count
        do {
            return Dissection(
                .uri, .text, byteCount: byteCount, nodes: ServerDissector.nodes(try ServerURI(parsing: pasted.text)))
        } catch {
            return Dissection(
                .uri, .text, byteCount: byteCount, breaking: error.message, at: pasted.offset + error.offset)
        }
    }

    /// A host that no other kind can be: with a dot, a colon or as `localhost`.
    private static func bareHost(_ pasted: PastedText) -> Dissection? {
        guard let uri = try? ServerURI(parsing: pasted.text),
            pasted.text.contains(where: { $0 == "." || $0 == ":" }) || pasted.text == "localhost"
        else { return nil }
        var dissection = Dissection(.uri, .text, byteCount: pasted.text.utf8.count, nodes: ServerDissector.nodes(uri))
        dissection.nodes.insert(Node("form", "bare host", note: "read as \(uri.text)"), at: 0)
        return dissection
    }

    private static func unknown(_ pasted: PastedText) -> Dissection {
        Dissection(
            unknown: Array(pasted.text.utf8), encoding: .text,
            "it is no STUN message or ChannelData in hex, base64 or binary, no candidate line, SDP, server URI or "
                + "iceServers object", at: pasted.offset)
    }
}
