import Diagnosis
import Engines
import NetTypes

extension TextRenderer {
    func section(_ interfaces: [NetworkInterface]) -> [String] {
        let table = TextTable(
            columns: [
                "name", .text("kind", importance: 2), .text("state", importance: 1),
                .number("MTU", importance: 0), "address",
            ],
            rows: interfaces.flatMap(rows))
        return [title("Interfaces (\(interfaces.count))")] + table.lines(style)
    }

    /// A row for each address, with the interface beside its first.
    private func rows(of interface: NetworkInterface) -> [TextTable.Row] {
        let state = interface.isUp ? interface.isRunning ? "up" : "no carrier" : "down"
        let own = [
            style.shown(interface.name), interface.kind.rawValue, state, interface.mtu.map(String.init) ?? "",
        ]
        if interface.addresses.isEmpty { return [.init(cells: own + [""], remarks: ["no address"])] }
        return interface.addresses.enumerated().map { index, address in
            let marks = [
                address.address.realm == .global ? nil : address.address.realm.words,
                address.isTemporary ? "temporary" : nil,
                address.isDeprecated ? "deprecated" : nil,
                address.isTentative ? "tentative" : nil,
                index == 0 && interface.isPointToPoint ? "point-to-point" : nil,
            ]
            return .init(
                cells: (index == 0 ? own : Array(repeating: "", count: own.count))
                    + ["\(address.address)/\(address.prefixLength)"],
                remarks: Self.together(marks))
        }
    }

    func section(_ candidates: [CandidateRecord]) -> [String] {
        let offered = candidates.filter { $0.withheld == nil }
        let withheld = candidates.filter { $0.withheld != nil }
        if candidates.isEmpty { return [title("Candidates"), "  none"] }
        var rows = offered.map(row) + withheld.map(row)
        if !withheld.isEmpty { rows[offered.count].heading = "Not offered" }
        let table = TextTable(
            columns: [
                "type", .text("over", importance: 3), "address",
                .text("interface", importance: 2), .text("kind", importance: 0),
                .number("priority", importance: 1),
            ],
            rows: rows)
        let count = withheld.isEmpty ? "\(offered.count)" : "\(offered.count), and \(withheld.count) not offered"
        return [title("Candidates (\(count))")] + table.lines(style)
    }

    private func row(of candidate: CandidateRecord) -> TextTable.Row {
        let endpoint = candidate.endpoint
        let origin = candidate.base == endpoint ? nil : "base \(candidate.base)"
        // No socket was opened for a port of 0.
        let address = endpoint.port == 0 ? endpoint.address.description : endpoint.description
        let remarks = [
            candidate.withheld.map { style.shown($0) },
            origin,
            candidate.server.map { "told by \(style.shown($0))" },
            candidate.isTemporary ? "temporary" : nil,
            candidate.isDeprecated ? "deprecated" : nil,
        ]
        let type = candidate.candidate.tcpType.map { " \($0.rawValue)" } ?? ""
        return .init(
            cells: [
                candidate.candidate.kind.name, candidate.transport.rawValue + type, address,
                style.shown(candidate.interface ?? ""), candidate.interfaceKind?.rawValue ?? "",
                String(candidate.candidate.priority),
            ],
            remarks: Self.together(remarks))
    }

    /// What there is of `parts` as one remark.
    private static func together(_ parts: [String?]) -> [String] {
        let parts = parts.compactMap(\.self)
        return parts.isEmpty ? [] : [parts.joined(separator: ", ")]
    }
}

extension IPAddress.Realm {
    /// The realm as people read it.
    fileprivate var words: String {
        switch self {
        case .sharedAddressSpace: "shared by a carrier's customers"
        case .uniqueLocal: "unique local"
        default: rawValue
        }
    }
}
