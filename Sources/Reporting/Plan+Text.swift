import Engines
import JSON
import NetTypes
package import Planning
import STUN

extension Plan {
    /// The plan for `--dry-run`: which servers would be asked, from where, until when, and with how many packets.
    package func rendered(as format: OutputFormat, style: RenderingStyle) -> String {
        switch format {
        case .text: text(style)
        case .json: json.text(pretty: true) + "\n"
        case .sdp: ""
        }
    }

    /// The addresses that are sent from, as far as they are known before the system is asked for a route.
    private var sources: [Base] {
        if let bindAddress { return bases.filter { $0.address.address.withoutZone == bindAddress.withoutZone } }
        return gathersReflexive ? bases.filter { $0.withheld == nil } : []
    }

    private func text(_ style: RenderingStyle) -> String {
        let renderer = TextRenderer(style: style)
        var lines = [
            "This would be done within \(JSONValue.decimalText(timeout.inSeconds)) s; nothing was sent.", "",
            renderer.title("Servers"),
        ]
        let table = TextTable(
            columns: ["server", "over", .number("requests")],
            rows: servers.map { server in
                let over =
                    server.transports.map { $0.rawValue.uppercased() }
                    + (server.fallsBackToTCP ? ["TCP if silent"] : [])
                return .init(
                    cells: [
                        style.shown(server.uri.text), over.joined(separator: ", "),
                        "\(mostRequests(to: server))",
                    ], remarks: server.excluded.map { [style.shown($0.detail)] } ?? [])
            })
        lines += servers.isEmpty ? ["  none"] : table.lines(style)
        if let lifetime { lines += ["", renderer.title("Mapping lifetime")] + renderer.labelled("", lifetime) }
        lines += ["", renderer.title("From")]
        lines += sources.isEmpty ? [style.shown("  \(routedSource)")] : sourceLines(style)
        if !notMeasured.isEmpty {
            lines += ["", renderer.title("Not measured")]
            lines += notMeasured.map { style.shown("  \($0.what): \($0.detail)") }
        }
        lines += ["", "requests: the most to each address of a server, from each address of this machine."]
        return lines.joined(separator: "\n") + "\n"
    }

    /// What `--lifetime` adds; nil where it is not asked.
    private var lifetime: String? {
        guard let first = idleTimes.first, let last = idleTimes.last else { return nil }
        return "\(idleTimes.count) sockets from each address of this machine, left idle for "
            + "\(Int(first.inSeconds)) to \(Int(last.inSeconds)) s, each \(NATLifetimeLadder.precisionPercent) % or "
            + "1 s longer than the one before; it ends with the first whose mapping is gone."
    }

    private var routedSource: String {
        "the address that the system routes from" + (interface.map { " over \($0)" } ?? "")
    }

    private func sourceLines(_ style: RenderingStyle) -> [String] {
        TextTable(
            columns: ["address", "interface", "kind"],
            rows: sources.map {
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
                    "requests": .integer(mostRequests(to: server)),
                    "notMeasured": server.excluded.map { .string($0.detail) },
                ]
            },
            "idleTimesS": idleTimes.jsonArrayUnlessEmpty { .integer(Int($0.inSeconds)) },
            "sources": sources.jsonArray { base in
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
