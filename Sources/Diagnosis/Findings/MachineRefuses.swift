/// This machine itself cannot send: no route, no such family, or nothing left to send with.
enum MachineRefuses: FindingRule {
    static func findings(in evidence: Evidence) -> [Finding] {
        let kinds: [ProbeError.Kind] = [.noRoute, .local, .messageTooBig]
        let refused = evidence.contacts.filter { $0.error.map { kinds.contains($0.kind) } ?? false }
        guard !refused.isEmpty else { return [] }
        let lacksRoute = refused.allSatisfy { $0.error?.kind == .noRoute }
        return [
            Finding(
                id: "machine-refuses", severity: .error,
                title: lacksRoute ? "This machine has no route to a server" : "This machine cannot send to a server",
                evidence: refused.map(\.complaint),
                causes: lacksRoute
                    ? [
                        "the machine is not connected, or its connection has no default route",
                        "the server has addresses of a family only that this network does not carry",
                    ]
                    : [
                        "an address or interface went away during the run",
                        "the machine is out of sockets, ports or memory, or its MTU is too small",
                    ],
                remedy: lacksRoute
                    ? "Compare `ip route` and `ip -6 route` with the server's address."
                    : "Compare `ip address` with the address of --bind; look for what uses up sockets with `ss -s`.")
        ]
    }
}
