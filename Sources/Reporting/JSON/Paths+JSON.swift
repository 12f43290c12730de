package import JSON
import NetTypes
package import Prediction

extension PathOutcome: JSONWord {}

extension PathRecord: JSONRecord {
    package static let shape = Shape<PathRecord>(
        nil, "The predicted path to one peer: what two ICE agents do in a model of both networks."
    ) {
        Field(
            "from", { $0.from.map { OutsideText($0) } },
            "The report that it starts from; absent where that is this run.")
        Field(
            "peer", \.peer.name,
            "A class of peer (public-host, same-network, same-nat, nat/MAPPING/FILTERING, carrier-grade-nat, ipv6-only, "
                + "udp-blocked), or another report.")
        Field("peerTurn", \.peer.hasTURN, "Of a class of peer: whether it has a TURN server of its own.")
        Field(
            "outcome", \.prediction.outcome,
            "How the two are joined; where it depends on what is unknown, the worst that may be.")
        Field(
            "possible", { $0.prediction.isCertain ? nil : [$0.prediction.best, $0.prediction.outcome] },
            "Where the outcome depends on what is unknown: the best and the worst that it may be.",
            ["minItems": 2, "maxItems": 2])
        Field("local", \.prediction.local)
        Field("remote", \.prediction.remote)
        Field(
            "setupMs", \.prediction.setup,
            "In the model, with 50 ms from end to end and back: from each other's candidates to the nomination on both sides."
        )
        Field("why", \.prediction.why, "Why it is relayed, or none.")
        Field("dependsOn", \.prediction.dependsOn.unlessEmpty, "The unknowns that the outcome depends on.")
    }
}

extension PathRecord.Peer {
    fileprivate var name: OutsideText {
        switch self {
        case .peerClass(let peerClass): OutsideText(peerClass.network.id)
        case .report(let report): OutsideText(report)
        }
    }

    fileprivate var hasTURN: Bool? { if case .peerClass(let peerClass) = self { peerClass.hasTURN } else { nil } }
}

extension PathSide: JSONRecord {
    package static let shape = Shape<PathSide>("pathSide", "One side of the nominated pair, as the peers see it.") {
        Field("type", \.kind)
        Field("family", \.family)
    }
}

extension Mesh: JSONRecord {
    /// More kinds than this have no matrix: it grows with their square.
    private static let mostInMatrix = 200

    package static let shape = Shape<Mesh>(nil, "Who of many machines reaches whom, by their kinds.") {
        Field("machines", \.machines)
        Field.list("kinds", \.kinds, "The most frequent first.") {
            Field("kind", \.kind.words, "The network, in words.")
            Field("count", \.count, "", ["minimum": 1])
            Field("example", { OutsideText($0.example) }, "The first report of this kind.")
        }
        Field(
            "outcomes", { $0.kinds.count <= mostInMatrix ? $0.outcomes : nil },
            "Between each two kinds, in their order; absent where there are more than 200.")
        Field("pairs", \.pairs, "Of all pairs of machines.")
        Field("sameNatPairs", \.neighbours, "Pairs behind one NAT, which outcomes leave out and pairs count.")
        Field("isolated", \.isolated, "Machines that reach no other.")
        Field("call", \.call, "Each sends to each.")
        Field.object(
            "sfu", { mesh in mesh.star.map { (machines: $0, call: mesh.starCall) } }, "Each machine with a public host."
        ) {
            Field("machines", \.machines)
            Field("call", \.call)
        }
    }
}

extension Mesh.Tally: JSONRecord {
    package static let shape = Shape<Mesh.Tally>("tally", "How many have which outcome.") {
        Field("count", \.count)
        Field("direct", \.direct)
        Field("relayed", \.relayed)
        Field("none", \.none)
        Field("uncertain", \.uncertain, "Those that may be better, since not all is known of them.")
    }
}

extension Mesh.Call: JSONRecord {
    package static let shape = Shape<Mesh.Call>(
        "call",
        "What a call costs, on the average of all calls of so many of the machines. A stream is one sender's media to one "
            + "receiver; through an SFU each sends one up and gets those of all others."
    ) {
        Field("participants", \.participants, "", ["minimum": 2])
        Field("bitrateKbps", \.bitrate, "Of one stream.")
        Field("streams", \.streams)
        Field("relayedStreams", \.relayedStreams)
        Field("missingStreams", \.missingStreams, "Those that cannot be, for want of a path.")
        Field(
            "relayBandwidthKbps", \.relayBandwidth,
            "What relays take in; they send as much again. Data between two relays counts at both.")
    }
}
