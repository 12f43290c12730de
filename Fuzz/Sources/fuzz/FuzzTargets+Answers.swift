import Engines
import NetTypes
import Session

extension FuzzTargets {
    static func dns(_ bytes: [UInt8]) {
        if case .serviceRecords(let records) = DNSResponse.serviceRecords(in: bytes) {
            precondition(!records.isEmpty && records.count <= DNSResponse.mostExamined)
            precondition(records.allSatisfy { $0.target.utf8.count <= 4 * DNSReader.mostNameBytes })
        }
        if case .namingAuthorityPointers(let records) = DNSResponse.namingAuthorityPointers(in: bytes) {
            precondition(!records.isEmpty && records.count <= DNSResponse.mostExamined)
        }
    }

    /// No answer leads to an address that no other host of the link can have.
    static func mdns(_ bytes: [UInt8]) {
        let start = Instant(nanoseconds: 0)
        for binding in [MDNSQuery.Binding.group, .ephemeral(id: 0x1234)] {
            guard
                var query = MDNSQuery(
                    "3f2b1c4d-0000-4000-8000-00805f9b34fb.local", binding: binding, families: [.ipv4, .ipv6],
                    from: start)
            else { preconditionFailure("the name is one that is asked for") }
            query.transmitted(at: start)
            let source = Endpoint(IPAddress(192, 168, 1, 9), MDNSQuery.port)
            guard let address = query.take(bytes, from: source) else { continue }
            precondition(query.nextWake == nil)
            precondition(!address.isLoopback && !address.isIPv4Mapped && address.realm != .multicast)
        }
    }

    /// What is read is written as it was, filling aside.
    static func echo(_ bytes: [UInt8]) {
        guard let datagram = EchoDatagram(bytes) else { return }
        let written = datagram.bytes(size: bytes.count)
        precondition(written.count == bytes.count && bytes.starts(with: written.prefix(EchoDatagram.size)))
    }
}
