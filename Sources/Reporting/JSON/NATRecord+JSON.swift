package import Diagnosis
import Engines
package import JSON
import NetTypes

extension NATRecord: JSONRecord {
    package static let shape = Shape<NATRecord>(
        nil, "NAT behaviour (RFC 4787) between one local address and the servers; over tcp its mapping only."
    ) {
        Field("family", \.family)
        Field("transport", \.transport)
        Field("sourceAddress", \.evidence.source, "The local address.")
        Field("mappedAddress", \.mappedAddress, "How servers see the mapping socket.")
        Field(
            "mapping",
            {
                NATShown($0.verdict.mapping, by: $0.verdict.method, possible: $0.relayed?.verdict.mapping.possible) {
                    .string($0.rawValue)
                }
            }, "", .natDependence)
        Field(
            "filtering",
            {
                NATShown(
                    $0.verdict.filtering, by: $0.verdict.filteringMethod,
                    possible: $0.relayed?.verdict.filtering.possible
                ) { .string($0.rawValue) }
            }, "", .natDependence)
        Field("portPreservation", { NATShown($0.verdict.portPreservation) { .bool($0) } }, "", .values(true, false))
        Field(
            "portAllocation", { NATShown($0.verdict.portAllocation) { .string($0.name) } }, "",
            .values("preserving", "sequential", "random"))
        Field(
            "portStep", { $0.verdict.portAllocation.value?.step.map(Signed.init) },
            "From one socket's port to the next, where sequential.")
        Field(
            "addressPooling", { NATShown($0.verdict.pairedPooling) { $0 ? "paired" : "arbitrary" } },
            "paired: all sockets of this machine have one external address.", .values("paired", "arbitrary"))
        Field(
            "hairpin", { Optional(NATShown($0.verdict.hairpinning) { .string($0.rawValue) }) },
            "What the NAT does with a datagram from inside to one of its own mapped addresses (RFC 4787 REQ-9): nothing, or it "
                + "turns it back with the sender's mapped or local address as its source.",
            .values("none", "external-source", "internal-source"))
        Field(
            "alg", { Optional(NATShown($0.verdict.payloadRewriting) { .bool($0) }) },
            "Whether something on the way rewrites addresses in payloads: MAPPED-ADDRESS, and not XOR-MAPPED-ADDRESS.",
            .values(true, false))
        Field("mappingLifetime", \.lifetime)
        Field("legacyName", \.verdict.legacyName, "What RFC 3489 called it.")
        Field("method", \.verdict.method, "Where the mapping is known from.")
        Field.list("servers", \.asked) {
            Field("serverAddress", \.server)
            Field(
                "use", \.use, "discovery: RFC 5780; mapping: tells the mapping beside others; unusable: not believed.",
                ["enum": ["discovery", "mapping", "unusable", "silent"]])
            Field("otherAddress", \.other)
            Field("reason", \.reason, "Why it tells no more.")
        }
        Field("throughRelays", \.relayed)
        Field("requests", \.requests)
        Field("answers", \.answers)
        Field("rttMs", \.roundTrip, "Median, to the server that the verdict rests on.")
        Field("durationMs", \.evidence.endedAt)
        Field.object(
            "bound", \.bound,
            "What it takes at least on this path: the round trips that need each other's answers, then what silence needs to "
                + "be believed."
        ) {
            Field("roundTrips", \.roundTrips, "", ["minimum": 1])
            Field("silenceMs", \.silence)
            Field("durationMs", \.total)
        }
    }

    /// What each server was of use for.
    private var asked: [(server: Endpoint, use: String, other: Endpoint?, reason: String?)] {
        zip(evidence.servers, verdict.capabilities).map { server, capability in
            switch capability {
            case .silent: (server, "silent", nil, transport == .tcp ? evidence.silence(of: server) : nil)
            case .mapsOnly(let why): (server, "mapping", nil, why)
            case .unusable(let why): (server, "unusable", nil, why)
            case .discovers(let other): (server, "discovery", other, nil)
            }
        }
    }
}

extension NATRecord.Relayed: JSONRecord {
    package static let shape = Shape<NATRecord.Relayed>(
        nil,
        "What relays show by themselves, which does not depend on the rest: mapping and filtering are theirs only where no "
            + "server has shown them."
    ) {
        Field("mapping", { NATShown($0.verdict.mapping) }, "", .natDependence)
        Field("filtering", { NATShown($0.verdict.filtering) }, "", .natDependence)
        Field.list("relays", { record in record.evidence.relays.indices.map { (record, $0) } }) {
            Field("serverAddress", { $0.evidence.relays[$1].server })
            Field("relayedAddress", { $0.evidence.relays[$1].relayedAddress })
            Field("reason", { $0.reason($1) }, "Why it shows nothing, or not all.")
        }
        Field("sent", \.evidence.exchanges.count, "Datagrams, through the relays or to them.")
        Field("received", { $0.evidence.exchanges.count { $0.outcome != nil } }, "Those that came, or were answered.")
        Field("durationMs", \.evidence.endedAt)
    }
}

/// A finding of NAT behaviour as it is shown.
private struct NATShown: JSONRecord {
    var value: JSONValue
    var confidence: Ratio
    var reason: String?
    var method: NATVerdict.Method?
    var possible: NonEmpty<NATDependence>?

    /// - Parameters:
    ///   - method: how it was found out, where there are several ways.
    ///   - possible: what may be where it is unknown; not shown where all may.
    init<Value>(
        _ finding: NATFinding<Value>, by method: NATVerdict.Method? = nil, possible: Set<NATDependence>? = nil,
        _ name: (Value) -> JSONValue
    ) {
        switch finding {
        case .known(let known, let risk):
            value = name(known)
            confidence = Ratio(risk: risk)
            self.method = method
        case .unknown(let why):
            value = "unknown"
            confidence = Ratio(0)
            reason = why
            let all = NATDependence.allCases
            if let possible, possible.count < all.count { self.possible = all.filter(possible.contains).unlessEmpty }
        }
    }

    init(_ estimate: RelayedNATVerdict.Estimate) {
        self.init(estimate.finding, possible: estimate.possible) { .string($0.rawValue) }
    }

    static let shape = Shape<NATShown>(
        "natFinding",
        "A value, or unknown with the reason. confidence: the chance that it is right, 0 where it is unknown, 1 only where an "
            + "answer itself proves it.",
        rules: [
            "if": ["properties": ["value": ["const": "unknown"]]],
            "then": ["required": ["reason"], "properties": ["confidence": ["const": 0]]],
        ]
    ) {
        Field("value", \.value, "", ["type": ["string", "boolean"]])
        Field("confidence", \.confidence)
        Field("reason", \.reason, "Why it is unknown.", .notEmpty)
        Field("method", \.method)
        Field("possible", \.possible, "Where it is unknown, what may be, unless everything may.")
    }
}

extension NATDependence: JSONWord {}

extension JSONValue {
    /// The values that a finding may have, unknown beside them.
    fileprivate static func values(_ values: JSONValue...) -> JSONValue {
        ["properties": ["value": ["enum": .array(values + ["unknown"])]]]
    }

    fileprivate static let natDependence = values(
        "none", "endpoint-independent", "address-dependent", "address-and-port-dependent")
}

extension NATVerdict.PortAllocation {
    var name: String {
        switch self {
        case .preserving: "preserving"
        case .sequential: "sequential"
        case .random: "random"
        }
    }

    fileprivate var step: Int? {
        if case .sequential(let step) = self { return step }
        return nil
    }
}

extension NATVerdict.Method: JSONShaped {
    package var jsonValue: JSONValue {
        switch self {
        case .discovery: "rfc5780"
        case .severalServers: "several-servers"
        case .relay: "relay"
        }
    }

    package static func schema(_ book: inout SchemaBook) -> JSONValue {
        [
            "description":
                "How it was found out: rfc5780, with one server; several-servers, from what each sees of one socket; relay, through the relays of TURN servers.",
            "enum": ["rfc5780", "several-servers", "relay"],
        ]
    }
}
