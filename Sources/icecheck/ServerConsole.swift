import HostIO
import NetTypes
import STUN
import Server

/// What `serve` prints: where it listens, what to type on the other side, and what goes wrong.
struct ServerConsole {
    private let configuration: STUNServerConfiguration
    private let turn: TURNServerConfiguration?
    private let isVerbose: Bool
    private var shown: Set<IPAddress> = []

    init(_ configuration: STUNServerConfiguration, _ turn: TURNServerConfiguration?, isVerbose: Bool) {
        self.configuration = configuration
        self.turn = turn
        self.isVerbose = isVerbose
    }

    /// Says whom TURN is served for, and from where and to whom it relays.
    func start() {
        guard let turn else { return }
        let users = turn.accounts.map { "'\($0.username.text.cleaned())'" }.joined(separator: ", ")
        let names = [turn.accounts.isEmpty ? nil : users, turn.secret.map { _ in "whoever has the shared secret" }]
        let realm = OutsideText(bytes: turn.realm.bytes).cleaned()
        say("TURN is served for \(names.compactMap(\.self).joined(separator: " and ")), realm '\(realm)'")
        if turn.realm.bytes.count > TURNServerConfiguration.modernRealmLimit {
            say("with so long a realm, short requests over UDP are offered MD5 alone, lest answers amplify")
        }
        let relays = turn.relays.map {
            $0.bound == $0.advertised ? "\($0.bound)" : "\($0.advertised) (\($0.bound) here)"
        }
        let peers = turn.allowsAnyPeer ? "any address" : "loopback and private addresses"
        say(
            "relays from \(relays.joined(separator: ", ")), ports \(turn.ports.lowerBound)-\(turn.ports.upperBound), "
                + "to \(peers)")
    }

    /// Says what became of the allocations.
    func summarize(_ counts: TURNServerCounts) {
        say(
            "\(counts.made) allocations made, \(counts.deleted) deleted, \(counts.expired) expired, "
                + "\(counts.disconnected) ended with their connection, \(counts.left) left")
        say(
            "\(counts.relayedToPeers) relayed to peers, \(counts.relayedToClients) to clients, "
                + "\(counts.dropped) dropped")
    }

    mutating func show(_ event: STUNServerEvent) {
        switch event {
        case .listening(let endpoint, let transport): listening(endpoint, transport)
        case .openFailed(let endpoint, let transport, let error):
            warn("cannot listen on \(endpoint) over \(transport.rawValue.uppercased()): \(words(error))")
        case .discoveryAvailable(let primary, let other):
            say("RFC 5780 is served: \(primary), other address \(other)")
        case .discoveryUnavailable(let primary, .alternateNotDistinct):
            if configuration.addresses.contains(where: { $0.primary == primary && $0.alternate != nil }) {
                warn("no RFC 5780 on \(primary): --alternate must be another address of the same family")
            }
        case .discoveryUnavailable(let primary, .notOpened(let endpoint, let error)):
            warn("no RFC 5780 on \(primary): \(endpoint) cannot be opened: \(words(error))")
        case .turn(let event): if isVerbose { say(line(of: event)) }
        case .answered(let source, let transport):
            if isVerbose { say("answered \(source) over \(transport.rawValue.uppercased())") }
        case .rateLimited(let source, let total): warn("\(source) asks too often (\(total) requests left unanswered)")
        case .malformed(let source, let reason, let total):
            if isVerbose { warn("\(source) sends no STUN: \(reason) (\(total) in all)") }
        }
    }

    private mutating func listening(_ endpoint: Endpoint, _ transport: Transport) {
        say("listening on \(endpoint) over \(transport.rawValue.uppercased())")
        let isPrimary = configuration.addresses.contains { $0.primary == endpoint.address }
        guard transport == .udp, isPrimary, shown.insert(endpoint.address).inserted else { return }
        say("type on the other side:")
        let user = turn?.accounts.first.map { "--user \($0.username.text.cleaned())" } ?? "--secret-file FILE"
        for address in reachable(endpoint.address) {
            let place = Endpoint(address, endpoint.port)
            say("  icecheck stun stun:\(place)")
            if turn != nil { say("  icecheck turn turn:\(place) \(user)") }
        }
    }

    private func line(of event: TURNServerEvent) -> String {
        func what(_ allocation: TURNServerEvent.Allocation) -> String {
            let relayed = allocation.relayed.map(\.description).joined(separator: " and ")
            let transport = allocation.transport.rawValue.uppercased()
            return
                "relayed \(relayed), client \(allocation.client) over \(transport), user '\(allocation.username.cleaned())'"
        }
        return switch event {
        case .made(let allocation, let lifetime): "allocation made: \(what(allocation)), \(lifetime) s"
        case .refreshed(let allocation, let lifetime): "allocation refreshed: \(what(allocation)), \(lifetime) s"
        case .deleted(let allocation): "allocation deleted: \(what(allocation))"
        case .expired(let allocation): "allocation expired: \(what(allocation))"
        case .disconnected(let allocation): "allocation ended with its connection: \(what(allocation))"
        case .refused(let client, let method, let code):
            "refused \(method) of \(client): \(code) \(ErrorCode.registeredName(code) ?? "")"
        }
    }

    /// The addresses under which others reach a socket: those of the machine where it listens on all of them.
    private func reachable(_ address: IPAddress) -> [IPAddress] {
        guard address.realm == .unspecified else { return [address] }
        let all = ((try? InterfaceTable.read()) ?? []).filter(\.isUp).flatMap(\.addresses).map(\.address)
        return all.filter { $0.family == address.family && !$0.isLinkLocal }
    }

    private func words(_ error: PathError) -> String {
        switch error.kind {
        case .addressInUse: "the port is in use"
        case .addressNotAvailable: "the address is not this machine's"
        case .notPermitted: "not permitted; ports below 1024 need a privilege"
        case .familyNotSupported: "this machine has no such address family"
        default: "errno \(error.errno)"
        }
    }

    // Whoever reads may have gone: the server goes on for its clients.
    private func say(_ line: String) { try? StandardStream.output.write(line + "\n") }
    private func warn(_ line: String) { try? StandardStream.error.write("icecheck: \(line)\n") }
}
