import Engines
import Facts
import NetTypes
import Planning

/// A server that answers some requests at an address and not others: it is alive, so the address and the way are right.
enum OneRequestSilent: FindingRule {
    static let kinds = [signed, allocate, binding, bindingNeedsCredential]
    private static let signed = FindingKind(
        "turn-signed-request-silent", .error, "The TURN server answers the first Allocate, but not the signed one",
        meaning: "The server asked for a credential, and gave no answer to the request that carries it.",
        causes: [
            "the server cannot look the user up: its user database or its authentication threads hang",
            "a device on the path drops the signed request, which is larger than the first one",
            "the server ignores this address for a while after too many refused requests",
        ],
        remedy: "Look for the request in the server's log; restart the server if its log has nothing of it. Try TCP or "
            + "TLS: if that works, the path drops the larger datagrams.")
    private static let allocate = FindingKind(
        "turn-allocate-silent", .error, "The server answers Binding requests, but not Allocate",
        meaning: "A Binding request to the same address over the same transport was answered, and Allocate was not.",
        causes: [
            "the server offers STUN only (coturn: stun-only)", "a device on the path filters TURN",
        ],
        remedy: "Turn on TURN at the server, or try TLS (turns:), which hides the requests from filters.")
    private static let binding = FindingKind(
        "binding-silent", .error, "The server relays, but answers no Binding requests",
        meaning: "The server gave a relay at this address over this transport, and no answer to a Binding request.",
        causes: ["the server has Binding switched off (coturn: no-stun)"],
        remedy: "Ask another server for the server-reflexive address, or turn Binding on (remove coturn's no-stun).")
    private static let bindingNeedsCredential = FindingKind(
        "binding-needs-credential", .error, "The server asks for a credential for Binding requests",
        meaning: "The server answers 401 to a Binding request, which browsers send without a credential.",
        causes: ["the server authenticates Binding requests (coturn: secure-stun)"],
        remedy: "Remove coturn's secure-stun, or ask another server for the server-reflexive address.")

    static func findings(in evidence: Evidence) -> [Finding] {
        signed.findings(about: evidence.turn.filter { $0.error?.kind == .signedRequestSilent }, seen: \.complaint)
            + allocate.findings(
                about: evidence.turn.filter { result in
                    result.error?.kind == .timeout && result.stage == .allocate
                        && evidence.stun.contains { $0.isOK && $0.isSameWay(as: result.contact) }
                }, seen: \.complaint)
            + binding.findings(
                about: evidence.stun.filter { result in
                    result.error?.kind == .timeout || result.error?.kind == .tcpOpenNoSTUN
                }.filter(evidence.isAliveForTURN), seen: \.complaint)
            + bindingNeedsCredential.findings(about: evidence.stun.filter(\.needsCredential), seen: \.complaint)
    }
}

extension STUNResult {
    /// Whether both are of one address over one transport.
    func isSameWay(as other: STUNResult) -> Bool {
        serverAddress == other.serverAddress && transport == other.transport && serverAddress != nil
    }

    /// 401, which means one thing: Binding is not for everybody.
    var needsCredential: Bool { error?.kind == .errorResponse && error?.code == 401 }
}

extension Evidence {
    /// Whether TURN is answered at the address over the same transport.
    func isAliveForTURN(_ result: STUNResult) -> Bool {
        turn.contains { $0.contact.isOK && $0.contact.isSameWay(as: result) }
    }
}
