import NetTypes
import Testing

@testable import Engines

/// What a server says is believed only as far as it is consistent: a server's fault never becomes the NAT's property.
@Suite struct NATServerCapabilityTests {
    static let server = Endpoint(IPAddress(9, 9, 9, 1), 3478)
    static let other = Endpoint(IPAddress(9, 9, 9, 2), 3479)
    static let local = Endpoint(IPAddress(10, 0, 0, 5), 40000)
    static let mapped = Endpoint(IPAddress(8, 8, 4, 4), 40000)

    typealias Answer = NATExchange.Answer

    private static func answer(
        _ change: (inout Answer) -> Void = { _ in }, source: Endpoint = server
    ) -> Answer {
        var answer = Answer(
            after: .milliseconds(5), source: source, mappedAddress: mapped, otherAddress: other, responseOrigin: source)
        change(&answer)
        return answer
    }

    private static func evidence(_ exchanges: [(NATExchange.Change, Answer)]) -> NATEvidence {
        var evidence = NATEvidence(source: local.address, servers: [server])
        evidence.localEndpoints = [.mapping: local, .filtering(server: 0): local]
        for (change, answer) in exchanges {
            var exchange = NATExchange(
                socket: change == .none ? .mapping : .filtering(server: 0), server: 0, destination: server,
                change: change, sentAt: .zero)
            exchange.answer = answer
            evidence.exchanges.append(exchange)
        }
        return evidence
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var reason: String
        var exchanges: [(NATExchange.Change, Answer)]
        var testDescription: String { reason }
    }

    static let mappingOnly: [Case] = [
        Case(reason: "it has no OTHER-ADDRESS", exchanges: [(.none, answer { $0.otherAddress = nil })]),
        Case(
            reason: "not another address with another port", exchanges: [(.none, answer { $0.otherAddress = server })]),
        Case(
            reason: "not another address with another port",
            exchanges: [(.none, answer { $0.otherAddress = Endpoint(server.address, 3479) })]),
        Case(
            reason: "not another address with another port",
            exchanges: [(.none, answer { $0.otherAddress = Endpoint(other.address, 3478) })]),
        Case(
            reason: "is private, not reachable",
            exchanges: [(.none, answer { $0.otherAddress = Endpoint(IPAddress(10, 1, 1, 1), 3479) })]),
        Case(
            reason: "of the other family",
            exchanges: [(.none, answer { $0.otherAddress = Endpoint(IPAddress(v6: 0x2A00 << 112 | 1), 3479) })]),
        Case(reason: "has port 0", exchanges: [(.none, answer { $0.otherAddress = Endpoint(other.address, 0) })]),
        Case(
            reason: "its OTHER-ADDRESS changes",
            exchanges: [(.none, answer()), (.none, answer { $0.otherAddress = nil })]),
        Case(
            reason: "its RESPONSE-ORIGIN 10.0.0.9:3478 is not where",
            exchanges: [(.none, answer { $0.responseOrigin = Endpoint(IPAddress(10, 0, 0, 9), 3478) })]),
        Case(reason: "it ignores CHANGE-REQUEST", exchanges: [(.none, answer()), (.addressAndPort, answer())]),
        Case(reason: "it ignores CHANGE-REQUEST", exchanges: [(.none, answer()), (.port, answer())]),
        Case(
            reason: "asked to answer from 9.9.9.2:3479, it answered from 9.9.9.1:3479",
            exchanges: [(.none, answer()), (.addressAndPort, answer(source: Endpoint(server.address, 3479)))]),
        Case(
            reason: "its RESPONSE-ORIGIN 9.9.9.1:3478 is not where",
            exchanges: [
                (.none, answer()), (.addressAndPort, answer({ $0.responseOrigin = server }, source: other)),
            ]),
    ]

    @Test(arguments: mappingOnly) func whoseOtherAddressIsInDoubtTellsTheMappingOnly(_ one: Case) {
        guard case .mapsOnly(let why) = Self.evidence(one.exchanges).capability(of: 0) else {
            Issue.record("\(Self.evidence(one.exchanges).capability(of: 0))")
            return
        }
        #expect(why.contains(one.reason), "\(why)")
    }

    static let unusable: [Case] = [
        Case(reason: "MAPPED-ADDRESS only", exchanges: [(.none, answer { $0.isLegacy = true })]),
        Case(
            reason: "an address of its own network",
            exchanges: [(.none, answer { $0.mappedAddress = Endpoint(IPAddress(172, 17, 0, 1), 40000) })]),
        Case(
            reason: "something before the server rewrites ports",
            exchanges: [(.none, answer { $0.mappedAddress = Endpoint(local.address, 555) })]),
        Case(
            reason: "it saw one socket at",
            exchanges: [(.none, answer()), (.none, answer { $0.mappedAddress.port = 555 })]),
    ]

    @Test(arguments: unusable) func whoSeesWhatCannotBeIsNotBelieved(_ one: Case) {
        guard case .unusable(let why) = Self.evidence(one.exchanges).capability(of: 0) else {
            Issue.record("\(Self.evidence(one.exchanges).capability(of: 0))")
            return
        }
        #expect(why.contains(one.reason), "\(why)")
        let verdict = NATVerdict(Self.evidence(one.exchanges))
        #expect(verdict.mapping.value == nil && verdict.filtering.value == nil && verdict.portPreservation.value == nil)
    }

    @Test func anAnswerFromElsewhereToAPlainRequestIsNotBelieved() {
        var discovery = NATDiscovery(source: Self.local.address, at: .zero)
        discovery.add(server: Self.server, at: .zero)
        for socket in discovery.sockets { discovery.opened(socket, Self.local, at: .zero) }
        let (_, question) =
            discovery.nextQuestion ?? (
                .zero, .init(socket: .mapping, server: 0, destination: Self.server, change: .none)
            )
        let exchange = discovery.sent(question, at: .zero)
        discovery.answered(exchange, Self.answer(source: Self.other), at: .zero + .milliseconds(5))
        #expect(
            discovery.evidence.capability(of: 0)
                == .unusable("its answer came from 9.9.9.2:3479, not from where it was asked"))
        discovery.answered(exchange, Self.answer(), at: .zero + .milliseconds(6))
        #expect(discovery.evidence.capability(of: 0) == .discovers(other: Self.other))
    }
}
