package import Diagnosis
package import JSON
import NetTypes
package import Session

extension STUNResult {
    package var jsonValue: JSONValue {
        let roundTrip = answer?.roundTrip
        let rtt = statistics.flatMap { $0.received > 0 ? $0.median : nil } ?? roundTrip?.duration
        return [
            "server": .string(server),
            "transport": .string(transport.rawValue),
            "family": family.map { .string($0.rawValue) },
            "serverAddress": serverAddress.map(JSONValue.endpoint),
            "ok": .bool(isOK),
            "mappedAddress": (answer?.mappedAddress).map(JSONValue.endpoint),
            "localAddress": (answer?.localAddress ?? localAddress).map(JSONValue.endpoint),
            "rttMs": rtt.map(JSONValue.milliseconds),
            "rttClock": roundTrip.map { .string($0.isKernelTimed ? "kernel" : "user") },
            "rttAmbiguous": roundTrip?.isAmbiguous == true ? .bool(true) : nil,
            "attempts": .integer(attempts),
            "software": (answer?.software).map { .string($0.cleaned()) },
            "softwareHex": (answer?.software).flatMap(\.hexWhereCleaned),
            "otherAddress": (answer?.otherAddress).map(JSONValue.endpoint),
            "responseOrigin": (answer?.responseOrigin).map(JSONValue.endpoint),
            "answeredFrom": (answer?.source).map(JSONValue.endpoint),
            "rewrittenAddress": (answer?.rewrittenAddress).map(JSONValue.endpoint),
            "legacy": answer?.isLegacy == true ? .bool(true) : nil,
            "remarks": answer?.remarks.jsonArrayUnlessEmpty(JSONValue.string),
            "statistics": statistics?.jsonValue,
            "ignored": ignored.jsonArrayUnlessEmpty(\.jsonValue),
            "pathErrors": pathTroubles.jsonArrayUnlessEmpty(\.jsonValue),
            "tls": tls?.jsonValue,
            "error": outcome.error?.jsonValue,
            "notMeasured": outcome.notMeasured.map {
                ["reason": .string($0.reason.rawValue), "detail": .string($0.detail)]
            },
        ]
    }
}

extension RoundTripStatistics {
    package var jsonValue: JSONValue {
        // Without an answer there is no round trip, and 0 ms would be a lie.
        func time(_ duration: Duration) -> JSONValue? { received > 0 ? .milliseconds(duration) : nil }
        return [
            "sent": .integer(sent),
            "received": .integer(received),
            "lossRatio": .decimal(lossRatio),
            "minMs": time(minimum),
            "medianMs": time(median),
            "maxMs": time(maximum),
            "jitterMs": time(jitter),
        ]
    }
}

extension IgnoredReplies {
    package var jsonValue: JSONValue {
        [
            "reason": .string(reason.rawValue),
            "count": .integer(count),
            "from": .endpoint(from),
            "detail": detail.map(JSONValue.string),
        ]
    }
}

extension PathTrouble {
    package var jsonValue: JSONValue {
        ["kind": .string(kind.reportName), "from": reporter.map(JSONValue.address)]
    }

    /// The router or host whose ICMP message it was.
    var reporter: IPAddress? {
        if case .icmp(let from) = origin { from } else { nil }
    }
}

extension ProbeError {
    package var jsonValue: JSONValue {
        [
            "kind": .string(kind.rawValue),
            "message": .string(message),
            "code": code.map(JSONValue.integer),
            "reason": reason.map { .string($0.cleaned()) },
            "reasonHex": reason.flatMap(\.hexWhereCleaned),
            "from": reporter.map(JSONValue.address),
            "confidence": risk.map(JSONValue.confidence),
        ]
    }
}

extension OutsideText {
    /// The bytes as hex where ``cleaned(limit:)`` shows something else: the first 1,024 of them, since one server's
    /// 65,000 bytes must not swell the report.
    fileprivate var hexWhereCleaned: JSONValue? {
        cleaned().utf8.elementsEqual(bytes) ? nil : .string(bytes.prefix(1024).hexText)
    }
}

extension Sequence<UInt8> {
    /// Two lower-case digits for each byte.
    var hexText: String {
        map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
