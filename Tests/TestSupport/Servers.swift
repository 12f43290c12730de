package import NetTypes
package import Server
import SimNet

extension TURNServerConfiguration {
    /// A server that relays from these addresses for the user of a test, to anyone.
    package static func lab(
        relays: [IPAddress], account: RelayAccount = RelayAccount(),
        _ change: (inout TURNServerConfiguration) -> Void = { _ in }
    ) throws -> TURNServerConfiguration {
        var configuration = try TURNServerConfiguration(
            realm: RelayAccount.realm, relays: relays.map { Relay(bound: $0) })
        try configuration.addAccount(username: account.username, password: account.password)
        configuration.allowsAnyPeer = true
        change(&configuration)
        return configuration
    }
}

extension STUNServer {
    /// When the runs of the tests happen, in seconds since 1970.
    package static let labTime: Int64 = 1_800_000_000

    /// A server at these addresses, which relays as well.
    package static func lab(
        at addresses: [IPAddress], port: UInt16 = 3478, _ turn: TURNServerConfiguration, seed: UInt64,
        from start: Instant = .zero
    ) -> STUNServer {
        lab(at: addresses.map { .init(primary: $0) }, port: port, turn, seed: seed, from: start)
    }

    package static func lab(
        at addresses: [STUNServerConfiguration.Addresses], port: UInt16 = 3478, _ turn: TURNServerConfiguration,
        seed: UInt64, from start: Instant = .zero
    ) -> STUNServer {
        STUNServer(
            configuration: STUNServerConfiguration(addresses: addresses, port: port), turn: turn, from: start,
            secondsSince1970: labTime, random: SeededGenerator(seed: seed))
    }
}
