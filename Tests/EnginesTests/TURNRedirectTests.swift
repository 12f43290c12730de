import NetTypes
import Testing

@testable import Engines

@Suite struct TURNRedirectTests {
    private static let first = Endpoint(IPAddress(9, 9, 9, 9), 3478)

    private func redirect(_ target: Endpoint?) -> TURNRedirect {
        TURNRedirect(server: target, domain: nil, isAuthenticated: true)
    }

    private func decision(_ target: Endpoint?, from server: Endpoint = first, followsPrivate: Bool = false)
        -> RedirectPolicy.Decision
    {
        var policy = RedirectPolicy(from: server, followsPrivate: followsPrivate)
        return policy.decide(redirect(target))
    }

    /// R02.
    @Test(
        arguments: [
            ("127.0.0.1:3478", .notGlobal(.loopback)), ("169.254.169.254:80", .notGlobal(.linkLocal)),
            ("10.1.2.3:3478", .notGlobal(.privateUse)), ("100.64.0.1:3478", .notGlobal(.sharedAddressSpace)),
            ("224.0.0.1:3478", .noHost(.multicast)), ("255.255.255.255:3478", .noHost(.broadcast)),
            ("0.0.0.0:3478", .noHost(.unspecified)), ("8.8.8.8:0", .portZero), ("[::]:3478", .noHost(.unspecified)),
            ("[2a00::1]:3478", .otherFamily), ("9.9.9.9:3478", .alreadyVisited),
            ("[::ffff:127.0.0.1]:3478", .notGlobal(.loopback)), ("[::ffff:9.9.9.9]:3478", .alreadyVisited),
        ] as [(String, RedirectPolicy.Refusal)])
    func redirectInsideOrNowhereIsRefused(target: String, refusal: RedirectPolicy.Refusal) throws {
        let endpoint: Endpoint = try #require(Endpoint(target))
        #expect(decision(endpoint) == .refuse(refusal))
    }

    @Test(
        arguments: [
            ("[::1]:3478", .notGlobal(.loopback)), ("[64:ff9b::a00:1]:3478", .notGlobal(.privateUse)),
            ("[2002:7f00:1::]:3478", .notGlobal(.loopback)), ("[::ffff:10.0.0.1]:3478", .otherFamily),
            ("[fd00::1]:3478", .notGlobal(.uniqueLocal)), ("[fe80::1]:3478", .notGlobal(.linkLocal)),
        ] as [(String, RedirectPolicy.Refusal)])
    func addressInsideWrittenAsIPv6IsRefused(target: String, refusal: RedirectPolicy.Refusal) throws {
        let server = try #require(Endpoint("[2a00::9]:3478"))
        let endpoint: Endpoint = try #require(Endpoint(target))
        #expect(decision(endpoint, from: server) == .refuse(refusal))
    }

    @Test func missingAddressIsRefusedAndSoIsEveryOneWhereTheUserSaysSo() throws {
        #expect(decision(nil) == .refuse(.noAddress))
        var policy = RedirectPolicy(from: Self.first, isEnabled: false)
        #expect(policy.decide(redirect(Endpoint("8.8.8.8:3478"))) == .refuse(.disabled))
    }

    @Test func insideIsFollowedWhereAskedAndFromAServerThatIsInside() throws {
        let inside = try #require(Endpoint("10.0.0.2:3478"))
        #expect(decision(inside, followsPrivate: true) == .follow(inside))
        #expect(decision(inside, from: Endpoint(IPAddress(10, 0, 0, 1), 3478)) == .follow(inside))
    }

    /// R01.
    @Test func chainEndsAfterThreeHopsAndNeverGoesInACircle() {
        var policy = RedirectPolicy(from: Self.first)
        var decisions: [RedirectPolicy.Decision] = []
        for number in 1...20 {
            decisions.append(policy.decide(redirect(Endpoint(IPAddress(8, 8, 8, UInt8(number)), 3478))))
        }
        #expect(decisions[..<3].allSatisfy { if case .follow = $0 { true } else { false } })
        #expect(decisions[3...].allSatisfy { $0 == .refuse(.tooManyHops) })
        #expect(policy.hops == 3 && policy.chain.count == 4)
        var circle = RedirectPolicy(from: Self.first)
        let other = Endpoint(IPAddress(8, 8, 8, 8), 3478)
        #expect(circle.decide(redirect(other)) == .follow(other))
        #expect(circle.decide(redirect(Self.first)) == .refuse(.alreadyVisited))
    }

    @Test func serverThatTheRunHasAskedIsNotAskedAgain() {
        var policy = RedirectPolicy(from: Self.first)
        let other = Endpoint(IPAddress(8, 8, 8, 8), 3478)
        #expect(policy.decide(redirect(other), visited: [other]) == .refuse(.alreadyVisited))
    }

    @Test func publicServerDoesNotLeadInsideOverAServerThatIsInside() {
        var policy = RedirectPolicy(from: Endpoint(IPAddress(10, 0, 0, 1), 3478))
        _ = policy.decide(redirect(Self.first))
        #expect(policy.decide(redirect(Endpoint(IPAddress(10, 0, 0, 2), 3478))) == .refuse(.notGlobal(.privateUse)))
    }
}
