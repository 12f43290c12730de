import ArgumentParser
import HostIO
import NetTypes
import Planning
import STUN
import Server

/// The options of `serve` that concern TURN. It is served once somebody may use it: a user, or a shared secret.
struct RelayArguments: ParsableArguments {
    @Option(
        name: .customLong("user"),
        help: ArgumentHelp(
            "Serve TURN for this user; may be repeated. Without :PASSWORD it is in ICECHECK_TURN_PASSWORD.",
            valueName: "name:password"))
    var users: [String] = []

    @Option(
        help: ArgumentHelp(
            "Serve TURN for the credentials of this TURN REST secret; also in ICECHECK_TURN_SECRET.",
            valueName: "secret"))
    var secret: String?

    @Option(help: ArgumentHelp("Read the TURN REST secret from this file; - reads standard input.", valueName: "file"))
    var secretFile: String?

    @Option(help: ArgumentHelp("The realm of the credentials. (default: icecheck)", valueName: "realm"))
    var realm: String?

    @Option(
        name: .customLong("relay-address"),
        help: ArgumentHelp(
            "Relay from this local address, or advertise this public one if a NAT forwards it; once for each family. "
                + "(default: the --listen address of the family)", valueName: "address"))
    var relayAddresses: [String] = []

    @Option(help: ArgumentHelp("The ports of the relay sockets. (default: 49152-65535)", valueName: "min-max"))
    var relayPorts: String?

    @Flag(help: "Relay to any address, and not only to loopback and private ones.")
    var allowAnyPeer = false

    @Option(help: ArgumentHelp("Allocations at a time, of all users. (default: 256)", valueName: "number"))
    var maxAllocations: Int?

    @Option(help: ArgumentHelp("Allocations at a time of one user. (default: 64)", valueName: "number"))
    var quota: Int?

    @Option(help: ArgumentHelp("How long a nonce is good. (default: 3600)", valueName: "seconds"))
    var nonceLifetime: Int?

    /// What is to be served; nil where nobody may use it.
    ///
    /// - Parameter listening: where the server listens, the first address of each family relays as well.
    /// - Throws: ``Failure`` with the option and the right form.
    func configuration(listening: [IPAddress]) throws -> TURNServerConfiguration? {
        let sources = OptionSources.system
        let secret =
            try sources.secret(secret.map { Secret($0) }, file: secretFile, option: "--secret")
            ?? sources.secret(.turnSecret)
        guard !users.isEmpty || secret != nil else {
            if let option = optionWithoutUse {
                throw Failure("\(option) is for TURN, which is served only with --user NAME:PASSWORD or a --secret")
            }
            return nil
        }
        var turn: TURNServerConfiguration
        do {
            turn = try TURNServerConfiguration(realm: realm ?? "icecheck", relays: try relays(listening))
        } catch let error as CredentialError {
            throw Failure("--realm: \(error)")
        }
        turn.secret = secret.map { TURNServerConfiguration.SharedSecret($0.reveal()) }
        for user in users { try add(user, to: &turn) }
        turn.ports = try ports() ?? turn.ports
        turn.allowsAnyPeer = allowAnyPeer
        turn.maximumAllocations =
            try number(maxAllocations, of: "--max-allocations", 1...100_000) ?? turn.maximumAllocations
        turn.quota = try number(quota, of: "--quota", 1...100_000) ?? turn.quota
        if let seconds = try number(nonceLifetime, of: "--nonce-lifetime", 1...86_400) {
            turn.nonceLifetime = .seconds(seconds)
        }
        return turn
    }

    private var optionWithoutUse: String? {
        let given: [(String, Bool)] = [
            ("--realm", realm != nil), ("--relay-address", !relayAddresses.isEmpty),
            ("--relay-ports", relayPorts != nil), ("--allow-any-peer", allowAnyPeer),
            ("--max-allocations", maxAllocations != nil), ("--quota", quota != nil),
            ("--nonce-lifetime", nonceLifetime != nil),
        ]
        return given.first { $0.1 }?.0
    }

    // MARK: Who

    /// A password is in no message: the error names only the part of the credential.
    private func add(_ user: String, to turn: inout TURNServerConfiguration) throws {
        let parts = user.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let password = parts.count == 2 ? String(parts[1]) : Environment.value(.turnPassword, isNonEmpty: true)
        else {
            throw Failure(
                "--user \(QuotedInput(user)) has no password; the right form is NAME:PASSWORD, or NAME with the "
                    + "password in ICECHECK_TURN_PASSWORD")
        }
        do {
            try turn.addAccount(username: String(parts[0]), password: password)
        } catch {
            throw Failure("--user: \(error); the right form is NAME:PASSWORD")
        }
    }

    // MARK: Where

    private func relays(_ listening: [IPAddress]) throws -> [TURNServerConfiguration.Relay] {
        let interfaces = (try? InterfaceTable.read()) ?? []
        let own = interfaces.filter(\.isUp).flatMap(\.addresses).map(\.address)
        let given = try relayAddresses.map { text -> IPAddress in
            guard let address = IPAddress(text), address.realm != .unspecified else {
                throw Failure(
                    "--relay-address '\(QuotedInput(text))' is not an address to relay from; the right form is 192.0.2.1 "
                        + "or 2001:db8::1")
            }
            return address
        }
        return try IPAddress.Family.allCases.compactMap { family in
            let listens = listening.first { $0.family == family }
            let wanted = given.filter { $0.family == family }
            guard wanted.count <= 1 else {
                throw Failure("--relay-address is given twice for \(family.name)")
            }
            guard let address = wanted.first else { return listens.flatMap { relay(at: $0, own) } }
            if own.contains(address) || address.isLoopback { return .init(bound: address) }
            return .init(bound: listens ?? .unspecified(family), advertised: address)
        }
    }

    /// The relay of a listening address; who listens on all of them relays from the one that others reach best.
    private func relay(at listening: IPAddress, _ own: [IPAddress]) -> TURNServerConfiguration.Relay? {
        guard listening.realm == .unspecified else { return .init(bound: listening) }
        let order: [IPAddress.Realm] = [.global, .privateUse, .uniqueLocal, .sharedAddressSpace, .loopback]
        let candidates = own.filter { $0.family == listening.family && !$0.isLinkLocal }
        let best = candidates.min { (order.firstIndex(of: $0.realm) ?? 9) < (order.firstIndex(of: $1.realm) ?? 9) }
        return best.map { TURNServerConfiguration.Relay(bound: $0) }
    }

    private func ports() throws -> ClosedRange<UInt16>? {
        guard let relayPorts else { return nil }
        let ends = relayPorts.split(separator: "-", omittingEmptySubsequences: false).map { UInt16($0) }
        guard ends.count == 2, let lowest = ends[0], let highest = ends[1], lowest > 0, lowest <= highest else {
            throw Failure(
                "--relay-ports '\(QuotedInput(relayPorts))' is not a range of ports; the right form is 49152-65535")
        }
        return lowest...highest
    }

    private func number(_ value: Int?, of option: String, _ range: ClosedRange<Int>) throws -> Int? {
        guard let value else { return nil }
        guard range.contains(value) else {
            throw Failure("\(option) \(value) is out of range; it takes \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }
}
