import Planning

/// What a pasted thing is, field by field, and what is wrong with it.
///
/// Values stand in the tree as they came; a renderer escapes them. No password stands in it. As JSON it is one object:
/// `kind`, `encoding`, `byteCount`, `isSound`, `problems` and `nodes`; a node has `name` and `value`, and where there
/// is one `hex`, `offset`, `length`, `note`, `problems` (`offset`, `rule`) and `children`.
package struct Dissection: Hashable, Sendable {
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        case stunMessage = "stun-message"
        case channelData = "channel-data"
        /// Several messages, one after the other.
        case stream
        case candidates
        case sdp
        case uri
        case iceServers = "ice-servers"
        /// What `icecheck connect` gives to the other side.
        case signalingLine = "signaling-line"
        case unknown

        /// The kind in words.
        package var name: String {
            switch self {
            case .stunMessage: "a STUN message"
            case .channelData: "a ChannelData message"
            case .stream: "a stream of STUN and ChannelData messages"
            case .candidates: "ICE candidates"
            case .sdp: "a session description (SDP)"
            case .uri: "the URI of a STUN or TURN server"
            case .iceServers: "a list of ICE servers"
            case .signalingLine: "a line of icecheck connect"
            case .unknown: "nothing that is known here"
            }
        }
    }

    /// How the thing was written.
    package enum Encoding: String, Hashable, Sendable, CaseIterable {
        case binary, hex, base64, text
        case hexDump = "hex-dump"
    }

    /// With what to check the integrity of messages.
    package struct Credentials: Sendable {
        let password: Secret
        let user: String?
        let realm: String?

        /// `user` and `realm` are those of the message where they are nil.
        package init(password: String, user: String? = nil, realm: String? = nil) {
            self.password = Secret(password)
            self.user = user
            self.realm = realm
        }
    }

    package var kind: Kind
    package var encoding: Encoding
    /// Bytes of what was taken apart: of the message, not of its hex.
    package var byteCount: Int
    package var nodes: [Node]
    /// What is wrong with the whole.
    package var problems: [Problem] = []

    /// 1 MiB.
    package static let byteLimit = 1 << 20
    /// The most messages, lines, servers or attributes that are shown.
    package static let nodeLimit = 256

    /// Whether nothing is wrong with any part.
    package var isSound: Bool { problems.isEmpty && nodes.allSatisfy(\.isSound) }

    /// Takes apart what `input` is: text or bytes, of any of the kinds.
    package init(of input: [UInt8], credentials: Credentials? = nil) {
        guard input.count <= Self.byteLimit else {
            self.init(unknown: input, "it is larger than 1 MiB, the most that is taken apart here", at: Self.byteLimit)
            return
        }
        let text = Demultiplexer.isMessage(input) ? nil : PastedText(input)
        self = text.map { Self.dissect($0, credentials) } ?? Self.dissect(binary: input, credentials)
    }

    init(_ kind: Kind, _ encoding: Encoding, byteCount: Int, nodes: [Node], problems: [Problem] = []) {
        self.kind = kind
        self.encoding = encoding
        self.byteCount = byteCount
        self.nodes = nodes
        self.problems = problems
    }

    /// What breaks a rule as a whole.
    init(_ kind: Kind, _ encoding: Encoding, byteCount: Int, breaking rule: String, at offset: Int?) {
        self.init(kind, encoding, byteCount: byteCount, nodes: [], problems: [Problem(offset: offset, rule: rule)])
    }

    init(unknown input: [UInt8], encoding: Encoding = .binary, _ rule: String, at offset: Int = 0) {
        self.init(.unknown, encoding, byteCount: input.count, breaking: rule, at: offset)
    }
}

/// A field with its name and value, and the fields inside it.
package struct Node: Hashable, Sendable {
    package var name: String
    /// As it came, invalid UTF-8 repaired.
    package var value: String
    /// The bytes, where they are not text.
    package var bytes: [UInt8]?
    /// Bytes from the start of what was taken apart.
    package var offset: Int?
    /// Bytes.
    package var length: Int?
    /// What the value means.
    package var note: String?
    package var problems: [Problem]
    package var children: [Node]

    package init(
        _ name: String, _ value: String = "", bytes: [UInt8]? = nil, offset: Int? = nil, length: Int? = nil,
        note: String? = nil, problems: [Problem] = [], children: [Node] = []
    ) {
        self.name = name
        self.value = value
        self.bytes = bytes
        self.offset = offset
        self.length = length
        self.note = note
        self.problems = problems
        self.children = children
    }

    package var isSound: Bool { problems.isEmpty && children.allSatisfy(\.isSound) }

    mutating func refuse(_ rule: String, at place: Int?) { problems.append(Problem(offset: place, rule: rule)) }
}

/// Something that breaks a rule.
package struct Problem: Hashable, Sendable {
    /// Bytes from the start of what was taken apart, where the place is known.
    package var offset: Int?
    /// The rule that is broken, with the RFC and section where there is one.
    package var rule: String
}

extension [Node] {
    /// The first nodes, and a last one that counts the rest.
    func limited(to limit: Int = Dissection.nodeLimit) -> [Node] {
        count <= limit ? self : prefix(limit) + [Node("further", "\(count - limit)", note: "not shown")]
    }
}
