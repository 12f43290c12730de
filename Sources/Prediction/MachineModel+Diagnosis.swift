package import Diagnosis
import Engines
import Facts
import NetTypes
package import Planning

extension MachineModel {
    /// This machine, as a run has seen it.
    package init(_ diagnosis: Diagnosis, _ plan: Plan) {
        var facts = MachineFacts()
        facts.listsAddresses = plan.gathersReflexive
        facts.listsRelays = plan.provesRelays || plan.command == .check
        for interface in plan.interfaces {
            for address in interface.addresses {
                facts.prefixes[address.address.withoutZone] = address.prefixLength
            }
        }
        for host in diagnosis.candidates where host.isOfferedHost { facts.addHost(host.endpoint.address) }
        for result in diagnosis.stun {
            guard let server = result.serverAddress?.address, result.gap == nil else { continue }
            facts.addContact(
                server: server, isStream: result.transport.isStream, isAnswered: result.isOK,
                mapped: result.answer?.mappedAddress, local: result.answer?.localAddress ?? result.localAddress)
        }
        for result in diagnosis.turn {
            guard let server = result.serverAddress?.address, result.gap == nil else { continue }
            let allocation = result.evidence?.allocation
            facts.addContact(
                server: server, isStream: result.transport.isStream, isAnswered: result.contact.isOK,
                mapped: allocation?.mappedAddress, local: result.evidence?.localAddress)
            guard let relayed = result.relay?.relayedAddress else { continue }
            if result.isOK {
                facts.relays.append((result.transport.isStream, relayed.address.family))
            } else {
                facts.unprovenRelays.append((result.transport.isStream, relayed.address.family))
            }
        }
        for record in diagnosis.nat where record.transport == .udp { facts.add(record) }
        self = facts.model
    }
}

extension MachineFacts {
    fileprivate mutating func add(_ record: NATRecord) {
        var facts = self[record.family]
        facts.mapping =
            record.verdict.mapping.value.map { NATDependences($0) }
            ?? record.relayed.map { NATDependences($0.verdict.mapping.possible) }
        facts.filtering =
            record.verdict.filtering.value.map { NATDependences($0) }
            ?? record.relayed.map { NATDependences($0.verdict.filtering.possible) }
        facts.hairpins = record.verdict.hairpinning.value.map { $0 != .none }
        if let mapped = record.mappedAddress { facts.mappedAddress = mapped.address }
        if record.answers > 0 { facts.isAnsweredOverUDP = true }
        self[record.family] = facts
    }
}
