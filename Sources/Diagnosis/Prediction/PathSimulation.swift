import Engines
import NetTypes
import STUN
import Server
import SimNet

/// Runs two ICE agents over a network that behaves as two machines' do, on a virtual clock.
struct PathSimulation {
    /// Between the two machines, there and back; half of it between a machine and a server.
    let roundTrip: Duration

    private static let user = "model"
    private static let password = "model-of-a-network"

    private static let localAddresses: [IPAddress.Family: Addresses] = [
        .ipv4: Addresses(
            inside: IPAddress(192, 168, 1, 10), middle: IPAddress(100, 64, 0, 10), outside: IPAddress(14, 0, 0, 1)),
        .ipv6: Addresses(
            inside: IPAddress(v6: 0xFD01 << 112 | 10), middle: IPAddress(v6: 0xFD11 << 112 | 10),
            outside: IPAddress(v6: 0x2A14 << 112 | 1)),
    ]
    private static let remoteAddresses: [IPAddress.Family: Addresses] = [
        .ipv4: Addresses(
            inside: IPAddress(192, 168, 2, 20), middle: IPAddress(100, 64, 0, 20), outside: IPAddress(15, 0, 0, 1)),
        .ipv6: Addresses(
            inside: IPAddress(v6: 0xFD02 << 112 | 20), middle: IPAddress(v6: 0xFD12 << 112 | 20),
            outside: IPAddress(v6: 0x2A15 << 112 | 1)),
    ]

    /// Where a machine may have an address of one family.
    private struct Addresses {
        /// Behind a NAT.
        var inside: IPAddress
        /// Between a home's and a carrier's NAT.
        var middle: IPAddress
        /// On the Internet.
        var outside: IPAddress
    }
}
