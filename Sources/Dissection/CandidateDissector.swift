import Engines
import NetTypes

/// The fields of a candidate line.
enum CandidateDissector {
    static func isCandidate(_ line: String) -> Bool {
        line.hasPrefix("a=candidate:") || line.hasPrefix("candidate:")
    }

    static func node(_ line: String, offset: Int) -> Node {
        var node = Node("candidate", line, offset: offset, length: line.utf8.count)
        do {
            let candidate = try Candidate(parsingAttribute: line)
            node.value =
                "\(candidate.kind.name) \(candidate.transport.rawValue) \(candidate.address) port \(candidate.port)"
            node.children = fields(candidate, Places(line, offset))
        } catch {
            node.refuse(error.message, at: offset + error.offset)
        }
        return node
    }

    private static func fields(_ candidate: Candidate, _ places: Places) -> [Node] {
        var nodes = [
            Node("foundation", candidate.foundation),
            Node("component", "\(candidate.component)", note: component(candidate.component)),
            Node("transport", candidate.transport.rawValue),
            priority(candidate),
            Node("address", "\(candidate.address)", note: meaning(candidate.address)),
            Node("port", "\(candidate.port)"),
            Node("type", candidate.kind.rawValue, note: meaning(candidate.kind)),
        ]
        for (index, field) in [0, 1, 2, 3, 4, 5, 7].enumerated() {
            nodes[index].offset = places.field(field)
            nodes[index].problems = nodes[index].problems.map { Problem(offset: places.field(field), rule: $0.rule) }
        }
        if let address = candidate.relatedAddress {
            nodes.append(Node("raddr", "\(address)", offset: places.attribute("raddr"), note: meaning(address)))
        }
        if let port = candidate.relatedPort {
            nodes.append(Node("rport", "\(port)", offset: places.attribute("rport")))
        }
        if let type = candidate.tcpType {
            nodes.append(Node("tcptype", type.rawValue, offset: places.attribute("tcptype")))
        }
        for attribute in candidate.extensions {
            nodes.append(
                Node(
                    attribute.name, attribute.value, offset: places.attribute(attribute.name),
                    note: extensions[attribute.name] ?? "an extension that ICE does not interpret"))
        }
        return nodes
    }

    private static func priority(_ candidate: Candidate) -> Node {
        let priority = candidate.priority
        let (type, local, component) = (priority >> 24, priority >> 8 & 0xFFFF, 256 - Int(priority & 0xFF))
        var node = Node(
            "priority", "\(priority)",
            note: "type preference \(type), local preference \(local), component \(component) (RFC 8445 s5.1.2.1)")
        if priority > CandidatePriority.highest {
            node.refuse("a priority is at most 2147483647 (RFC 8445 s5.1.2)", at: nil)
        }
        return node
    }

    // MARK: Words

    private static func component(_ number: Int) -> String? {
        switch number {
        case 1: "RTP, or all that is multiplexed"
        case 2: "RTCP"
        default: nil
        }
    }

    private static func meaning(_ kind: Candidate.Kind) -> String {
        switch kind {
        case .host: "an address of the machine itself"
        case .serverReflexive: "the address that a STUN server saw: the outside of a NAT"
        case .peerReflexive: "the address that the peer saw"
        case .relayed: "an address on a TURN server"
        }
    }

    private static func meaning(_ address: Candidate.Address) -> String {
        switch address {
        case .address(let address) where address == .unspecified(address.family): "hidden"
        case .address(let address): address.realm.rawValue
        case .name(let name) where name.hasSuffix(".local"): "a name on the link that hides a host address (mDNS)"
        case .name: "a name to look up"
        }
    }

    private static let extensions = [
        "generation": "which gathering of the agent it is from",
        "ufrag": "the ice-ufrag that it belongs to",
        "network-id": "the agent's number for the interface",
        "network-cost": "how dear the interface is: 0 to 999",
        "url": "the server that it came from",
    ]

    /// Where each field of a line begins.
    private struct Places {
        private var starts: [(text: Substring.UTF8View, offset: Int)] = []

        init(_ line: String, _ offset: Int) {
            let prefix = line.hasPrefix("a=") ? "a=candidate:".utf8.count : "candidate:".utf8.count
            var offset = offset + prefix
            for part in line.utf8.dropFirst(prefix).split(
                separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
            {
                starts.append((part, offset))
                offset += part.count + 1
            }
        }

        func field(_ index: Int) -> Int? { index < starts.count ? starts[index].offset : nil }

        /// Where the value of an attribute begins.
        func attribute(_ name: String) -> Int? {
            stride(from: 8, to: starts.count, by: 2).first { starts[$0].text.elementsEqual(name.utf8) }
                .flatMap { field($0 + 1) }
        }
    }
}
