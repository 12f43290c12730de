import Diagnosis
import Facts
import NetTypes
import Planning
import Server
import SimNet
import TestSupport
import Testing

@testable import Session

/// A command on a machine without a NAT, in a network with what a test puts there: from options to diagnosis.
struct SessionLab {
    var options: Options
    var seed: UInt64 = 1
    /// Between the machine and all the others, which have no delay of their own.
    var link = Link()
    /// What the machine has; its interface has an address of both families always.
    var addresses = [Place.host, Place.host6]
    var names = NameTable()
    var system: Machine<Session>.System = { _, _ in [] }
    /// What does not get out of the machine.
    var loses: (Output) -> Bool = { _ in false }
    var interruptAt: Duration?
    /// Where TURN servers are, each with relays of both families.
    var relays: [Endpoint] = []
    var account = RelayAccount()
    var faults = FaultyRelay.Faults()
    var configureRelays: (inout TURNServerConfiguration) -> Void = { _ in }
    let log = RelayLog()
    private var others: [(addresses: [IPAddress], engine: (any Engine)?)] = []

    static let interfaces = [NetworkInterface.ethernet(Place.host, Place.host6)]

    init(_ options: Options) { self.options = options }

    /// Puts a server whose answers are made up into the network.
    mutating func respond(
        at places: [Endpoint] = [Place.server], listens: Bool = false, _ answer: @escaping Responder.Answer
    ) {
        others.append((Self.distinct(places.map(\.address)), Responder(at: places, listens: listens, answer: answer)))
    }

    /// Puts an engine into the network, or a host that runs nothing.
    mutating func add(_ engine: (any Engine)?, at addresses: IPAddress...) { others.append((addresses, engine)) }

    private static func distinct(_ addresses: [IPAddress]) -> [IPAddress] {
        addresses.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    struct Run {
        var net: SimNet
        var machine: Machine<Session>
        var log: RelayLog
        var observations: [Observation]
        var diagnosis: Diagnosis

        var sent: [Machine<Session>.Sent] { machine.sent }
        /// Milliseconds that the whole run took.
        var took: Int64 { net.now.nanoseconds / 1_000_000 }
        var evidence: [TURNEvidence] {
            observations.compactMap { if case .turnSeen(let evidence) = $0.fact { evidence } else { nil } }
        }
        var first: TURNEvidence? { evidence.first }
        var pairs: [RelayPairEvidence] {
            observations.compactMap { if case .relayPairSeen(let evidence) = $0.fact { evidence } else { nil } }
        }
        var findings: [String] { diagnosis.findings.map(\.id) }
        /// Why the first server gave no answer.
        var failure: ProbeError? {
            guard case .failed(let error) = diagnosis.stun.first?.outcome else { return nil }
            return error
        }
    }

    func run() throws -> Run {
        let plan = try Plan(options, interfaces: Self.interfaces)
        var net = SimNet(seed: seed)
        net.names = names
        let client = net.addHost(addresses: addresses, link: link)
        for (addresses, engine) in others {
            let host = net.addHost(addresses: addresses)
            if let engine { net.start(engine, on: host) }
        }
        for address in Self.distinct(relays.map(\.address)) {
            let both = [address, IPAddress(v6: 0x2600 << 112 | address.value)]
            let host = net.addHost(addresses: both)
            for place in relays where place.address == address {
                let server = STUNServer.lab(
                    at: [address], port: place.port, try .lab(relays: both, account: account, configureRelays),
                    seed: seed &+ UInt64(place.port))
                net.start(FaultyRelay(server, at: place, faults, account: account, log: log), on: host)
            }
        }
        var machine = Machine(
            Session(plan, random: SeededGenerator(seed: seed), from: net.now), loses: loses, system: system)
        var observations = net.run(&machine, on: client, until: interruptAt.map { .zero + $0 })
        if interruptAt != nil, !machine.isFinished {
            machine.base.conclude(.interrupted, at: net.now)
            observations += net.run(&machine, on: client)
        }
        return Run(
            net: net, machine: machine, log: log, observations: observations, diagnosis: Diagnosis(plan, observations))
    }
}
