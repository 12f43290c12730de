import Engines
import NetTypes
import Signaling

/// What the line says that `icecheck connect` gives to the other side; all but the password.
enum SignalingLineDissector {
    static func isLine(_ text: String) -> Bool { text.hasPrefix(SignalingLine.prefix) }

    static func dissect(_ pasted: PastedText) -> Dissection {
        let byteCount = pasted.text.utf8.count
        do {
            return Dissection(
                .signalingLine, .text, byteCount: byteCount, nodes: nodes(try SignalingLine.read(pasted.text)))
        } catch {
            return Dissection(
                .signalingLine, .text, byteCount: byteCount, breaking: error.description, at: pasted.offset)
        }
    }

    private static func nodes(_ description: ICEDescription) -> [Node] {
        var nodes = [
            Node("usernameFragment", description.credentials.usernameFragment),
            Node("trickles", "\(description.trickles)", note: "whether candidates may follow (RFC 8838)"),
            Node("complete", "\(description.isComplete)", note: "whether these are all candidates (RFC 8840)"),
        ]
        if let pacing = description.pacing { nodes.append(Node("pacing", "\(Int(pacing.milliseconds)) ms")) }
        if let tieBreaker = description.tieBreaker {
            nodes.append(Node("tieBreaker", "\(tieBreaker)", note: "the side with the larger one controls"))
        }
        for family in IPAddress.Family.allCases {
            guard let nat = description.nat[family] else { continue }
            let mapping = nat.mapping?.rawValue ?? "unknown"
            let filtering = nat.filtering?.rawValue ?? "unknown"
            nodes.append(Node("nat", "\(family.name): mapping \(mapping), filtering \(filtering)"))
        }
        // They were never a line: there is no place in one to name.
        return nodes + description.candidates.map { CandidateDissector.node($0.description, offset: 0).withoutPlaces }
    }
}

extension Node {
    fileprivate var withoutPlaces: Node {
        var node = self
        node.offset = nil
        node.length = nil
        node.children = children.map(\.withoutPlaces)
        return node
    }
}
