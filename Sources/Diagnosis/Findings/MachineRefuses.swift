/// This machine itself cannot send: no route, no such family, or nothing left to send with.
enum MachineRefuses: OneKindRule {
    static let kind = FindingKind(
        "machine-refuses", .error, "This machine cannot send to a server",
        meaning: "The packets never left this machine: its system refused to send them.",
        causes: lackOfRoute + others,
        remedy: "Compare `ip route`, `ip -6 route` and `ip address` with the server's address; `ss -s` shows what uses "
            + "up sockets.")
    private static let lackOfRoute = [
        "the machine is not connected, or its connection has no default route",
        "the server has only addresses of a family that this network does not carry",
    ]
    private static let others = [
        "an address or interface went away during the run",
        "the machine is out of sockets, ports or memory, or its MTU is too small",
    ]

    static func findings(in evidence: Evidence) -> [Finding] {
        let refused = evidence.contacts(failing: [.noRoute, .local, .messageTooBig])
        let lacksRoute = refused.allSatisfy { $0.error?.kind == .noRoute }
        return kind.findings(
            about: refused, title: lacksRoute ? "This machine has no route to a server" : nil,
            causes: lacksRoute ? lackOfRoute : others,
            remedy: lacksRoute
                ? "Compare `ip route` and `ip -6 route` with the server's address."
                : "Compare `ip address` with the address of --bind; `ss -s` shows what uses up sockets.",
            seen: \.complaint)
    }
}
