import Engines
import Facts
import NetTypes

/// An allocation that carries no data, or whose address no peer can reach: by where the data died.
enum TURNRelayFails: FindingRule {
    static let kinds = [unusable, externalAddress, portsBlocked, silent, oneWay, channelSilent]
    private static let unusable = FindingKind(
        "turn-relayed-address-unusable", .error, "No peer can reach the address that the TURN server gives",
        meaning: "The relayed address is private, unspecified or of the wrong family.",
        causes: [
            "the server stands behind a NAT and does not know its public address (coturn: external-ip=)",
            "the server's relay address is wrong (coturn: relay-ip=)",
        ],
        remedy: "Set coturn's external-ip=PUBLIC/PRIVATE, where PUBLIC is the address by which clients reach it.")
    /// The relay sends from another address than it says.
    private static let externalAddress = FindingKind(
        "turn-external-ip-wrong", .error, "The TURN server advertises a relayed address that is not its own",
        meaning: "What the relay sends comes from another address than the relayed address.",
        causes: [
            "the server's external address is set wrong (coturn: external-ip=), or its public address changed",
            "the server is behind a NAT that does not forward the relay's ports to it",
        ],
        remedy: "In turnserver.conf, set external-ip= to the address that the relay's packets come from.")
    /// It sends from where it says, and what is sent there does not come.
    private static let portsBlocked = FindingKind(
        "turn-relay-ports-blocked", .error, "Nothing gets in at the TURN server's relay ports",
        meaning: "The relay sends from the relayed address, but what is sent to that address does not arrive.",
        causes: [
            "a firewall at the server allows its listening port but not its relay ports (49152-65535/udp, or min-port= "
                + "to max-port=)",
            "the NAT in front of the server forwards only the listening port",
        ],
        remedy: "Open the relay's UDP ports to the server in its firewall or security group.")
    /// Nothing comes either way.
    private static let silent = FindingKind(
        "turn-relay-silent", .error, "The TURN server allocates a relay, but no data comes through",
        meaning: "The server made the allocation, but nothing comes through it either way.",
        causes: [
            "a firewall at the server blocks its relay ports both ways (49152-65535/udp, or min-port= to max-port=)",
            "the relayed address is not the server's (coturn: external-ip=, relay-ip=)",
            "this machine's own network drops UDP to high ports: a peer elsewhere might get through",
        ],
        remedy: "Open the relay's UDP ports at the server; compare its external-ip= with its public address.")
    /// It comes to the client, and not back.
    private static let oneWay = FindingKind(
        "turn-relay-one-way", .error, "The relay takes data in but sends none out",
        meaning:
            "Data sent to the relayed address reaches the client, but what the client sends back does not come out.",
        causes: [
            "a firewall at the server allows packets to the relay but none from it",
            "the relay sends from another address than it receives at, and this machine's NAT drops that",
        ],
        remedy: "Allow outgoing UDP from the relay's ports; give the relay one address (coturn: relay-ip=).")
    /// Indications work, the channel does not.
    private static let channelSilent = FindingKind(
        "turn-channel-silent", .error, "Data goes through the relay in indications but not over a channel",
        meaning: "Send and Data indications carry data both ways, but ChannelData does not.",
        causes: ["a device on the path drops non-STUN packets: ChannelData begins with 0x40 to 0x4F"],
        remedy: "Look for a firewall that drops non-STUN packets; TLS (turns:) gets past it.")

    static func findings(in evidence: Evidence) -> [Finding] {
        var findings = findings(about: evidence.turn, kind: kind) { $0.complaint + $0.reverseWords }
        for index in findings.indices where findings[index].kind == unusable {
            if let line = externalAddressLine(evidence) {
                findings[index].remedy = "In turnserver.conf, set \(line), where the first is the public address."
            }
        }
        let sources = Set(evidence.turn.filter { kind($0) == externalAddress }.compactMap { $0.relay?.reverse?.source })
        if let address = sources.first?.address, sources.allSatisfy({ $0.address == address }) {
            for index in findings.indices where findings[index].kind == externalAddress {
                findings[index].remedy = "In turnserver.conf, set external-ip=\(address.canonical.withoutZone)."
            }
        }
        return findings
    }

    /// The public address is the one that was asked, where the relayed one is private.
    private static func externalAddressLine(_ evidence: Evidence) -> String? {
        let lines = Set(
            evidence.turn.filter { kind($0) == unusable }.map { result -> String? in
                guard let server = result.serverAddress?.address, server.realm == .global,
                    let relayed = result.evidence?.trouble?.unusable?.first?.address?.address,
                    relayed.realm == .privateUse,
                    server.family == relayed.family
                else { return nil }
                return "external-ip=\(server)/\(relayed)"
            })
        return lines.count == 1 ? lines.first ?? nil : nil
    }

    private static func kind(_ result: TURNResult) -> FindingKind? {
        if result.error?.kind == .unusableRelayedAddress { return unusable }
        guard result.error?.kind == .noData, let relay = result.relay, relay.tcp == nil else { return nil }
        guard relay.indications.roundTrips.isEmpty else { return channelSilent }
        guard relay.indications.arrived == 0 else { return oneWay }
        guard let source = relay.reverse?.source else { return silent }
        return source.address.canonical.withoutZone == relay.relayedAddress.address.canonical
            ? portsBlocked : externalAddress
    }
}

extension TURNResult {
    /// What the other direction showed.
    fileprivate var reverseWords: String {
        guard let relay else { return "" }
        let claimed = "; the relayed address is \(relay.relayedAddress)"
        guard let reverse = relay.reverse else { return claimed }
        guard let source = reverse.source else {
            return claimed + ", and none of \(reverse.sent) datagrams that the client sent out through it came"
        }
        return claimed + ", and what the client sends out through it comes from \(source)"
    }
}
