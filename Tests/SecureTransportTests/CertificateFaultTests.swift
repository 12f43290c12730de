import NetTypes
import SecureTransport
import Testing

@Suite struct CertificateFaultTests {
    let root: ServerCredentials
    init() throws { root = try Certificates.authority() }

    enum Case: String, CaseIterable {
        case expired, notYetValid, wrongName, nameInTheCommonNameOnly, wildcardAtTheWrongDepth, addressMissing
        case weakKey, weakHash, missingIntermediate, selfSigned, unknownRoot, unknownIntermediate, expiredIssuer
        case interception
    }

    private func credentials(_ fault: Case) throws -> ServerCredentials {
        let day = Certificates.day
        switch fault {
        case .expired: return try Certificates.leaf(issuer: root) { $0.notAfter = Certificates.now - day }
        case .notYetValid: return try Certificates.leaf(issuer: root) { $0.notBefore = Certificates.now + day }
        case .wrongName: return try Certificates.leaf(issuer: root) { $0.names = ["other.icecheck.dev"] }
        case .nameInTheCommonNameOnly:
            return try Certificates.leaf(issuer: root) {
                $0.names = []
                $0.addresses = []
            }
        case .wildcardAtTheWrongDepth: return try Certificates.leaf(issuer: root) { $0.names = ["*.dev"] }
        case .addressMissing: return try Certificates.leaf(issuer: root) { $0.addresses = [] }
        case .weakKey: return try Certificates.leaf(issuer: root) { $0.rsaBits = 1024 }
        case .weakHash: return try Certificates.leaf(issuer: root) { $0.usesSHA1 = true }
        case .missingIntermediate:
            return try Certificates.leaf(issuer: Certificates.authority("Test Intermediate", issuer: root))
        case .selfSigned: return try Certificates.leaf(issuer: nil)
        case .unknownRoot:
            let other = try Certificates.authority("Other Root")
            return try Certificates.leaf(issuer: other).sending(other)
        case .unknownIntermediate:
            let other = try Certificates.authority("Other Root")
            let intermediate = try Certificates.authority("Other Intermediate", issuer: other)
            return try Certificates.leaf(issuer: intermediate).sending(intermediate)
        case .expiredIssuer:
            var request = Certificates.request("Old Intermediate")
            request.isAuthority = true
            request.notAfter = Certificates.now - day
            request.issuer = root
            let intermediate = try ServerCredentials.make(request)
            return try Certificates.leaf(issuer: intermediate).sending(intermediate)
        case .interception:
            let box = try Certificates.authority("FG100F", organization: "Fortinet")
            return try Certificates.leaf(issuer: box).sending(box)
        }
    }

    private func expected(_ fault: Case) -> [SecureFailure] {
        let day = Certificates.day
        switch fault {
        case .expired: return [SecureFailure(.expired, CalendarDate.text(Certificates.now - day), certificate: 0)]
        case .notYetValid:
            return [SecureFailure(.notYetValid, CalendarDate.text(Certificates.now + day), certificate: 0)]
        case .wrongName: return [SecureFailure(.wrongName, "other.icecheck.dev, 127.0.0.1", certificate: 0)]
        case .nameInTheCommonNameOnly:
            return [SecureFailure(.wrongName, "turn.icecheck.dev (common name only)", certificate: 0)]
        case .wildcardAtTheWrongDepth: return [SecureFailure(.wrongName, "*.dev, 127.0.0.1", certificate: 0)]
        case .addressMissing: return [SecureFailure(.wrongName, "turn.icecheck.dev", certificate: 0)]
        case .weakKey: return [SecureFailure(.weakKey, "RSA 1024 bits", certificate: 0)]
        case .weakHash: return [SecureFailure(.weakHash, "ecdsa-with-SHA1", certificate: 0)]
        case .missingIntermediate: return [SecureFailure(.missingIntermediate, "CN=Test Intermediate", certificate: 0)]
        case .selfSigned: return [SecureFailure(.selfSigned, "CN=turn.icecheck.dev", certificate: 0)]
        case .unknownRoot:
            return [
                SecureFailure(.unknownRoot, "CN=Other Root", certificate: 1),
                SecureFailure(.interceptionSuspected, "a public name with a private root"),
            ]
        case .unknownIntermediate: return [SecureFailure(.unknownRoot, "CN=Other Root", certificate: 1)]
        case .expiredIssuer:
            return [SecureFailure(.expired, CalendarDate.text(Certificates.now - day), certificate: 1)]
        case .interception:
            return [
                SecureFailure(.interceptionSuspected, "Fortinet"),
                SecureFailure(.unknownRoot, "CN=FG100F,O=Fortinet", certificate: 1),
            ]
        }
    }

    @Test(arguments: Case.allCases, [SecureProtocol.tls, .dtls]) func eachFaultIsNamedAndInsecureGoesOn(
        fault: Case, kind: SecureProtocol
    ) throws {
        let identity: SecureClientConfiguration.Identity =
            fault == .addressMissing ? .address(IPAddress(127, 0, 0, 1)) : .name(Certificates.name)
        var configuration = ChannelPair.configuration(kind, trusting: root, identity: identity)
        var server = SecureServerConfiguration(kind, try credentials(fault))
        if fault == .weakHash { server.ciphers = "DEFAULT:@SECLEVEL=0" }
        var pair = try ChannelPair(configuration, server)
        pair.run()
        #expect(pair.refusal?.failures == expected(fault))
        #expect(pair.refusal?.facts.faults == expected(fault))
        #expect(pair.refusal?.facts.chain.isEmpty == false)
        // The server is told by an alert, so that its log says so as well.
        #expect(pair.serverRefusal?.failures.first?.alert != nil)

        configuration.isInsecure = true
        var insecure = try ChannelPair(configuration, server)
        insecure.run()
        #expect(insecure.client.state == .open)
        #expect(insecure.client.facts.faults == expected(fault))
    }

    @Test func severalFaultsAreAllNamedTheMostSpecificFirst() throws {
        let credentials = try Certificates.leaf(issuer: nil) {
            $0.names = ["other.icecheck.dev"]
            $0.notAfter = Certificates.now - Certificates.day
            $0.rsaBits = 1024
        }
        var pair = try ChannelPair(
            ChannelPair.configuration(.tls, trusting: root), SecureServerConfiguration(.tls, credentials))
        pair.run()
        #expect(pair.refusal?.failures.map(\.kind) == [.expired, .wrongName, .weakKey, .selfSigned])
    }

    @Test func aChainThatIsTooLongIsNamed() throws {
        var issuer = root
        var sent: [ServerCredentials] = []
        for number in 0..<14 {
            issuer = try Certificates.authority("Intermediate \(number)", issuer: issuer)
            sent.insert(issuer, at: 0)
        }
        var credentials = try Certificates.leaf(issuer: issuer)
        for certificate in sent { credentials = credentials.sending(certificate) }
        var pair = try ChannelPair(
            ChannelPair.configuration(.tls, trusting: root), SecureServerConfiguration(.tls, credentials))
        pair.run()
        #expect(pair.refusal?.failures.contains { $0.kind == .chainTooLong } == true)
        #expect((pair.refusal?.facts.chain.count ?? 0) <= 16)
    }

    @Test func aWildcardAndAnAddressAreNames() throws {
        let wildcard = try Certificates.leaf(issuer: root) { $0.names = ["*.icecheck.dev"] }
        var byName = try ChannelPair(
            ChannelPair.configuration(.tls, trusting: root), SecureServerConfiguration(.tls, wildcard))
        byName.run()
        #expect(byName.client.state == .open)
        var byAddress = try ChannelPair(
            ChannelPair.configuration(.tls, trusting: root, identity: .address(IPAddress(127, 0, 0, 1))),
            SecureServerConfiguration(.tls, wildcard))
        byAddress.run()
        #expect(byAddress.client.state == .open)
    }

    @Test func aSelfMadeCertificateIsTrustedWhereItIsGiven() throws {
        let credentials = try Certificates.leaf(issuer: nil)
        var pair = try ChannelPair(
            ChannelPair.configuration(.tls, trusting: credentials), SecureServerConfiguration(.tls, credentials))
        pair.run()
        #expect(pair.client.state == .open)
    }

    @Test func aProductWhoseRootIsTrustedIsStillNamed() throws {
        let box = try Certificates.authority("Zscaler Root CA")
        var pair = try ChannelPair(
            ChannelPair.configuration(.tls, trusting: box),
            SecureServerConfiguration(.tls, try Certificates.leaf(issuer: box)))
        pair.run()
        #expect(pair.client.state == .open)
        #expect(pair.client.facts.inspectionProduct == "Zscaler")
    }

    @Test func aNameFromACertificateStaysOutsideText() throws {
        let credentials = try Certificates.leaf(issuer: nil) { $0.commonName = "\u{1B}[2Jhostile\u{202E}" }
        var pair = try ChannelPair(
            ChannelPair.configuration(.tls, trusting: root), SecureServerConfiguration(.tls, credentials))
        pair.run()
        let subject = try #require(pair.refusal?.facts.chain.first?.subject)
        #expect(!subject.cleaned().unicodeScalars.contains { !$0.isShowable })
        #expect(subject.cleaned().contains("hostile"))
    }

    @Test func filesThatCannotBeUsedAreNamed() throws {
        let bad = Array("no PEM at all".utf8)
        #expect(throws: SecureFailure(.unusableConfiguration, "the file holds no PEM certificate")) {
            _ = try SecureContext(
                client: ChannelPair.configuration(.tls, trusting: nil) { $0.trustedPEM = bad })
        }
        let other = try Certificates.leaf(issuer: nil)
        let mixed = ServerCredentials(chainPEM: root.chainPEM, keyPEM: other.keyPEM)
        #expect(throws: SecureFailure(.unusableConfiguration, "the key is not that of the certificate")) {
            _ = try SecureContext(server: SecureServerConfiguration(.tls, mixed))
        }
        #expect(!"\(other) \(String(reflecting: other))".contains("PRIVATE"))
    }

    @Test(arguments: [
        (Int64(0), "1970-01-01"), (1_777_852_921, "2026-05-04"), (951_782_400, "2000-02-29"), (-86401, "1969-12-30"),
        (.max, "9999-12-31"), (.min, "0000-01-01"),
    ])
    func datesAreThoseOfTheCalendar(seconds: Int64, text: String) {
        #expect(CalendarDate.text(seconds) == text)
    }
}
