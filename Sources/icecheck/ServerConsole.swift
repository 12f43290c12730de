import HostIO
import NetTypes
import Server

/// What `serve` prints: where it listens, what to type on the other side, and what goes wrong.
struct ServerConsole {
    private let configuration: STUNServerConfiguration
    private let isVerbose: Bool
    private var shown: Set<IPAddress> = []

    init(_ configuration: STUNServerConfiguration, isVerbose: Bool) {
        self.configuration = configuration
        self.isVerbose = isVerbose
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
        case .answered(let source, let transport):
            if isVerbose { say("answered \(source) over \(transport.rawValue.uppercased())") }
        case .allocated(let relayed, let client, let user):
            if isVerbose { say("allocated \(relayed) for \(client), user \(user.cleaned())") }
        case .deallocated(let relayed, let client, let user):
            if isVerbose { say("deleted \(relayed) of \(client), user \(user.cleaned())") }
        case .expired(let relayed, let client, let user):
            if isVerbose { say("expired \(relayed) of \(client), user \(user.cleaned())") }
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
        for address in reachable(endpoint.address) {
            let place = Endpoint(address, endpoint.port)
            say("  icecheck stun stun:\(place)")
            guard let turn = configuration.turn else { continue }
            say(
                "  icecheck turn turn:\(place) "
                    + (turn.accounts.first.map { "--user \($0.username.cleaned())" } ?? "--secret-file FILE"))
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
