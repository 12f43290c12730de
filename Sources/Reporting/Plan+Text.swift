import NetTypes
import STUN
package import Session

extension Plan {
    /// The plan for `--dry-run`: which servers would be asked, from where, until when, and with how many packets.
    package func rendered(as format: OutputFormat, style: RenderingStyle) -> String {
        switch format {
        case .text: text(style)
        case .json: json.text(pretty: true) + "\n"
        case .sdp: ""
        }
    }

    private var offered: [Base] { gathersReflexive ? bases.filter { $0.withheld == nil } : [] }

    private func text(_ style: RenderingStyle) -> String {
        let renderer = TextRenderer(style: style)
        var lines = [
            "This would be done within \(JSONValue.decimalText(timeout.inSeconds)) s; nothing was sent.", "",
            renderer.title("Servers"),
        ]
        let table = TextTable(
            columns: [.init(title: "server"), .init(title: "over"), .init(title: "requests", isNumber: true)],
            rows: servers.map { server in
                let over =
                    server.transports.map { $0.rawValue.uppercased() }
                    + (server.fallsBackToTCP ? ["TCP if silent"] : [])
                return .init(
                    cells: [
                        style.shown(server.uri.text), over.joined(separator: ", "),
                        server.excluded == nil ? "\(mostRequestsPerAddress)" : "0",
                    ], remarks: server.excluded.map { [style.shown($0.detail)] } ?? [])
            })
        lines += servers.isEmpty ? ["  none"] : table.lines(style)
        lines += ["", renderer.title("From")]
        lines += offered.isEmpty ? ["  the address that the system routes from"] : sources(style)
        if !notMeasured.isEmpty {
            lines += ["", renderer.title("Not measured")]
            lines += notMeasured.map { style.shown("  \($0.what): \($0.detail)") }
        }
        lines += ["", "requests: the most to each address of a server, from each address of this machine."]
        return lines.joined(separator: "\n") + "\n"
    }

    private func sources(_ style: RenderingStyle) -> [String] {
        TextTable(
            columns: [.init(title: "address"), .init(title: "interface"), .init(title: "kind")],
            rows: offered.map {
                .init(cells: [$0.address.address.description, style.shown($0.interface), $0.interfaceKind.rawValue])
            }
        ).lines(style)
    }

    private var json: JSONValue {
        [
            "schema": .string("icecheck/plan/1"),
            "command": .string(command.rawValue),
            "timeoutMs": .milliseconds(timeout),
            "servers": servers.jsonArray { server in
                [
                    "server": .string(server.uri.text),
                    "transports": server.transports.jsonArray { .string($0.rawValue) },
                    "fallsBackToTcp": .bool(server.fallsBackToTCP),
                    "requests": .integer(server.excluded == nil ? mostRequestsPerAddress : 0),
                    "notMeasured": server.excluded.map { .string($0.detail) },
                ]
            },
            "sources": offered.jsonArray { base in
                [
                    "address": .address(base.address.address), "interface": .string(base.interface),
                    "interfaceKind": .string(base.interfaceKind.rawValue),
                ]
            },
            "notMeasured": notMeasured.jsonArray {
                ["what": .string($0.what), "reason": .string($0.reason.rawValue), "detail": .string($0.detail)]
            },
        ]
    }
}
