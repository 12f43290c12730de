/// What of a NAT's behaviour (RFC 4787) decides about a connection; nil is what was not found out.
package struct NATTraits: Hashable, Sendable, Codable {
    package var mapping: NATDependence?
    package var filtering: NATDependence?
    /// Whether two machines behind it reach each other by their mapped addresses.
    package var hairpins: Bool?
    package var preservesPorts: Bool?
    /// Whether UDP gets out, and answers to it in.
    package var passesUDP: Bool?

    package init(
        mapping: NATDependence? = nil, filtering: NATDependence? = nil, hairpins: Bool? = nil,
        preservesPorts: Bool? = nil, passesUDP: Bool? = nil
    ) {
        self.mapping = mapping
        self.filtering = filtering
        self.hairpins = hairpins
        self.preservesPorts = preservesPorts
        self.passesUDP = passesUDP
    }
}

extension NATTraits {
    /// What requests over UDP from one address have shown.
    package init(_ evidence: NATEvidence) {
        let verdict = NATVerdict(evidence)
        self.init(
            mapping: verdict.mapping.value, filtering: verdict.filtering.value,
            preservesPorts: verdict.portPreservation.value,
            passesUDP: evidence.exchanges.contains { $0.answer != nil } ? true : nil)
    }
}
