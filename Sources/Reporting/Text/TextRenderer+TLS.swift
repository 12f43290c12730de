import Facts
import NetTypes

extension TextRenderer {
    /// What TLS showed, and what its certificate says.
    func remarks(on tls: TLSEvidence) -> [String] {
        let facts = tls.facts
        var remarks: [String] = []
        if !facts.version.isEmpty {
            var words = [facts.version, facts.cipher, "handshake \(milliseconds(tls.handshake)) ms"]
            if tls.handshakesBegun > 1 { words[2] += " (of \(tls.handshakesBegun) that were begun)" }
            if let chosen = facts.applicationProtocol { words.append("ALPN \(style.shown(chosen))") }
            remarks.append(words.joined(separator: ", "))
        }
        if let own = facts.chain.first {
            let names = own.names.prefix(4).map { name in
                switch name {
                case .dns(let text): style.shown(text)
                case .address(let address): address.description
                }
            }
            let more = own.names.count > 4 ? " and \(own.names.count - 4) more" : ""
            remarks.append(
                "certificate for \(names.isEmpty ? style.shown(own.subject) : names.joined(separator: ", "))\(more), from "
                    + "\(style.shown(own.issuer)), until \(CalendarDate.text(own.notAfter))")
        }
        if facts.chain.count > 1 { remarks.append("a chain of \(facts.chain.count) certificates") }
        return remarks
    }
}
