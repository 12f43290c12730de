package import Diagnosis
package import Facts
package import JSON
import NetTypes
import Planning

extension STUNResult: JSONRecord {
    package static let shape = Shape<STUNResult>(
        nil,
        "One address of one server over one transport; or a server, or one family of it, without an address. Exactly one of "
            + "ok, error and notMeasured holds.",
        rules: .outcome(
            required: ["family", "serverAddress", "mappedAddress", "localAddress", "rttMs", "rttClock", "answeredFrom"])
    ) {
        Field("server", \.server, "As it was named.", .notEmpty)
        Field("transport", \.transport)
        Field("family", \.family)
        Field("serverAddress", \.serverAddress)
        Field("ok", \.isOK, "Whether it answered with an address.")
        Field("mappedAddress", \.answer?.mappedAddress, "Where the server saw the request come from.")
        Field("localAddress", { $0.answer?.localAddress ?? $0.localAddress }, "Where it was sent from.")
        Field("rttMs", \.roundTrip, "The round trip, or the median of a series.")
        Field(
            "rttClock", { $0.answer.map { $0.roundTrip.isKernelTimed ? "kernel" : "user" } },
            "What stamped the arrival.", ["enum": ["kernel", "user"]])
        Field(
            "rttAmbiguous", \.answer?.roundTrip.isAmbiguous.unlessFalse,
            "An earlier transmission may be the one that was answered. Absent otherwise.")
        Field("attempts", \.attempts, "Requests that were sent, retransmissions included.")
        Field("software", \.answer?.software)
        Field("softwareHex", \.answer?.software?.hexWhereCleaned, hexAbout)
        Field("otherAddress", \.answer?.otherAddress)
        Field("responseOrigin", \.answer?.responseOrigin)
        Field("answeredFrom", \.answer?.source, "The source of the answer.")
        Field(
            "rewrittenAddress", \.answer?.rewrittenAddress,
            "MAPPED-ADDRESS where it differs from XOR-MAPPED-ADDRESS: something rewrites addresses.")
        Field(
            "legacy", \.answer?.isLegacy.unlessFalse,
            "The answer has only MAPPED-ADDRESS, as in RFC 3489. Absent otherwise.")
        Field("remarks", \.answer?.remarks.unlessEmpty, "What is odd about the answer.")
        Field("statistics", \.statistics)
        Field("ignored", \.ignored.unlessEmpty, "Replies that were not believed.")
        Field("pathErrors", \.pathTroubles.unlessEmpty, "Path errors that did not end the probe.")
        Field("tls", \.tls)
        Field("error", \.outcome.error)
        Field.gap(\.outcome)
    }

    fileprivate static let hexAbout = "Its bytes, the first 1,024, where the text shown is not the same."

    private var roundTrip: Duration? {
        statistics.flatMap { $0.received > 0 ? $0.median : nil } ?? answer?.roundTrip.duration
    }
}

extension Field {
    /// Why something was not measured.
    static func gap(_ outcome: @escaping @Sendable (Record) -> STUNResult.Outcome) -> Field {
        .object("notMeasured", { outcome($0).notMeasured }) {
            Field<NotMeasured>("reason", \.reason)
            Field<NotMeasured>("detail", \.detail)
        }
    }
}

extension JSONValue {
    /// Exactly one of ok, error and notMeasured holds; where it is ok, these keys are there.
    static func outcome(required: [JSONValue]? = nil) -> JSONValue {
        [
            "if": ["properties": ["ok": ["const": true]]],
            "then": [
                "required": required.map(JSONValue.array),
                "not": ["anyOf": [["required": ["error"]], ["required": ["notMeasured"]]]],
            ],
            "else": ["oneOf": [["required": ["error"]], ["required": ["notMeasured"]]]],
        ]
    }
}

extension RoundTripStatistics: JSONRecord {
    package static let shape = Shape<RoundTripStatistics>(
        nil, "Of a --count series; without times where nothing was received."
    ) {
        Field("sent", \.sent, "Requests of the series.")
        Field("received", \.received, "Answers to them.")
        Field("lossRatio", { Ratio($0.lossRatio) }, "Lost of sent.")
        Field("minMs", { $0.unlessSilent(\.minimum) })
        Field("medianMs", { $0.unlessSilent(\.median) })
        Field("maxMs", { $0.unlessSilent(\.maximum) })
        Field("jitterMs", { $0.unlessSilent(\.jitter) }, "The mean difference of neighbouring round trips.")
    }

    /// Without an answer there is no round trip, and 0 ms would be a lie.
    private func unlessSilent(_ time: KeyPath<Self, Duration>) -> Duration? { received > 0 ? self[keyPath: time] : nil }
}

extension IgnoredReplies.Reason: JSONWord {}

extension IgnoredReplies: JSONRecord {
    package static let shape = Shape<IgnoredReplies> {
        Field("reason", \.reason, "Why they were not believed.")
        Field("count", \.count, "How many.", ["minimum": 1])
        Field("from", \.from, "The first sender.")
        Field("detail", \.detail)
    }
}

extension PathTrouble: JSONRecord {
    package static let shape = Shape<PathTrouble>(
        "pathError", "An error of the path: an ICMP message, TCP's, or the system's own refusal."
    ) {
        Field(
            "kind", \.kind.reportName, "", ["enum": .array(PathError.Kind.reportNames.map(JSONValue.string))])
        Field("from", \.reporter, "Whose ICMP message it was.")
    }

    /// The router or host whose ICMP message it was.
    var reporter: IPAddress? {
        if case .icmp(let from) = origin { from } else { nil }
    }
}

extension ProbeError.Kind: JSONWord {}

extension ProbeError: JSONRecord {
    package static let shape = Shape<ProbeError>("error", "How a probe failed.") {
        Field("kind", \.kind)
        Field("message", \.message, "One sentence: what was seen and what it means.", .notEmpty)
        Field("code", \.code, "Of an error response.")
        Field("reason", \.reason)
        Field("reasonHex", \.reason?.hexWhereCleaned, STUNResult.hexAbout)
        Field("from", \.reporter, "Whose ICMP message it was.")
        Field(
            "confidence", { $0.risk.map(Ratio.init(risk:)) },
            "That the silence is not loss, where requests over TCP were answered at the same time.")
    }
}

extension OutsideText {
    /// The bytes as hex where ``cleaned(limit:)`` shows something else: the first 1,024 of them, since one server's
    /// 65,000 bytes must not swell the report.
    fileprivate var hexWhereCleaned: HexBytes? {
        cleaned().utf8.elementsEqual(bytes) ? nil : HexBytes(bytes.prefix(1024))
    }
}
