import NetTypes
import Server
import Testing

@Suite struct STUNServerTests {
    private let primary = Endpoint(ServerHarness.primary, 3478)
    private let client = ServerHarness.client

    private func answer(_ transmits: [Transmit]) throws -> RawMessage {
        try #require(transmits.count == 1)
        return try #require(RawMessage(transmits[0].bytes))
    }

    // MARK: Sockets

    @Test func opensFourSocketsOfEachTransportForTwoAddresses() {
        let harness = ServerHarness.started()
        let expected = [ServerHarness.primary, ServerHarness.alternate].flatMap { address in
            [3478, 3479].map { Endpoint(address, $0) }
        }
        for endpoint in expected {
            #expect(harness.path(.datagram, at: endpoint) != nil)
            #expect(harness.path(.listener, at: endpoint) != nil)
            #expect(harness.events.contains(.listening(endpoint, .udp)))
            #expect(harness.events.contains(.listening(endpoint, .tcp)))
        }
        #expect(harness.paths.count == 8)
        let other = Endpoint(ServerHarness.alternate, 3479)
        #expect(harness.events.contains(.discoveryAvailable(primary: primary, other: other)))
        #expect(harness.server.nextWake == nil)
        #expect(!harness.server.isFinished)
    }

    @Test func opensOneSocketOfEachTransportForOneAddress() {
        #expect(ServerHarness.started(discovery: false).paths.count == 2)
        #expect(ServerHarness.started(discovery: false) { $0.acceptsConnections = false }.paths.count == 1)
    }

    @Test func aPortOfTheSystemsChoiceIsTheSameOnBothAddressesAndTransports() {
        let harness = ServerHarness.started {
            $0.port = 0
            $0.alternatePort = 0
        }
        for address in [ServerHarness.primary, ServerHarness.alternate] {
            for port: UInt16 in [50_001, 50_002] {
                #expect(harness.path(.datagram, at: Endpoint(address, port)) != nil)
                #expect(harness.path(.listener, at: Endpoint(address, port)) != nil)
            }
        }
    }

    @Test(arguments: [3478, 3479] as [UInt16])
    func goesOnWithoutDiscoveryWhereTheAlternateCannotBeOpened(port: UInt16) throws {
        let refused = Endpoint(ServerHarness.alternate, port)
        let configuration = STUNServerConfiguration(
            addresses: [.init(primary: ServerHarness.primary, alternate: ServerHarness.alternate)])
        let harness = ServerHarness(configuration, refusing: [refused])
        #expect(
            harness.events.contains {
                if case .discoveryUnavailable(ServerHarness.primary, .notOpened(refused, _)) = $0 {
                    true
                } else {
                    false
                }
            })
        #expect(harness.paths.values.allSatisfy { $0.local == primary })
        #expect(harness.paths.count == 2)
        let message = try answer(harness.ask(RawMessage.request.fingerprinted.bytes))
        #expect(message.endpoint(RawMessage.xorMappedAddress) == client)
        #expect(message[RawMessage.otherAddress] == nil)
    }

    @Test func saysThatItCannotListenAndIsFinished() {
        let configuration = STUNServerConfiguration(addresses: [.init(primary: ServerHarness.primary)])
        let harness = ServerHarness(configuration, refusing: [primary])
        #expect(
            harness.events.contains { if case .openFailed(primary, .udp, _) = $0 { true } else { false } })
        #expect(harness.server.isFinished)
    }

    @Test(arguments: ["192.0.2.1", "::1", "0.0.0.0"])
    func anAlternateThatIsNoneIsSaid(alternate: String) throws {
        let address: IPAddress = try #require(IPAddress(alternate))
        let addresses = STUNServerConfiguration.Addresses(primary: ServerHarness.primary, alternate: address)
        let harness = ServerHarness(STUNServerConfiguration(addresses: [addresses]))
        #expect(
            harness.events.contains(.discoveryUnavailable(primary: ServerHarness.primary, .alternateNotDistinct)))
        #expect(harness.paths.count == 2)
    }

    @Test func servesSeveralPairsOfAddresses() throws {
        let sixth = try #require(IPAddress("2001:db8::1"))
        let seventh = try #require(IPAddress("2001:db8::2"))
        let configuration = STUNServerConfiguration(addresses: [
            .init(primary: ServerHarness.primary, alternate: ServerHarness.alternate),
            .init(primary: sixth, alternate: seventh),
        ])
        let harness = ServerHarness(configuration)
        #expect(harness.paths.count == 16)
        let source = Endpoint(try #require(IPAddress("2001:db8:7::9")), 5000)
        let asked = RawMessage.changing(address: true, port: true).fingerprinted
        let transmits = harness.ask(asked.bytes, at: Endpoint(sixth, 3478), from: source)
        let message = try answer(transmits)
        #expect(harness.paths[transmits[0].path]?.local == Endpoint(seventh, 3479))
        #expect(message.endpoint(RawMessage.xorMappedAddress) == source)
        #expect(message.endpoint(RawMessage.responseOrigin) == Endpoint(seventh, 3479))
    }

    // MARK: Answers

    @Test func aFingerprintedRequestGetsEverythingThatFits() throws {
        let harness = ServerHarness.started()
        let request = RawMessage.request.adding(RawMessage.software, Array("client of a known make".utf8)).fingerprinted
        let transmits = harness.ask(request.bytes)
        let message = try answer(transmits)
        #expect(transmits[0].destination == client)
        #expect(harness.paths[transmits[0].path]?.local == primary)
        #expect(message.type == 0x0101)
        #expect(message.transaction == RawMessage.request.transaction)
        #expect(message.endpoint(RawMessage.xorMappedAddress) == client)
        #expect(message.endpoint(RawMessage.mappedAddress) == client)
        #expect(message.endpoint(RawMessage.responseOrigin) == primary)
        #expect(message.endpoint(RawMessage.otherAddress) == Endpoint(ServerHarness.alternate, 3479))
        #expect(message[RawMessage.software] == Array("icecheck test".utf8))
        #expect(message.hasValidFingerprint)
        #expect(harness.events.last == .answered(client, .udp))
    }

    @Test func aBareRequestGetsWhatMattersMostInThreeTimesItsSize() throws {
        let harness = ServerHarness.started()
        let message = try answer(harness.ask(RawMessage.request.bytes))
        #expect(message.bytes.count <= 60)
        #expect(message.endpoint(RawMessage.xorMappedAddress) == client)
        #expect(message.endpoint(RawMessage.otherAddress) == Endpoint(ServerHarness.alternate, 3479))
        #expect(message.endpoint(RawMessage.responseOrigin) == primary)
        #expect(message[RawMessage.mappedAddress] == nil)
        #expect(message[RawMessage.software] == nil)
        #expect(message.attributes.allSatisfy { $0.type != 0x8028 })
    }

    @Test(arguments: [(false, false), (true, false), (false, true), (true, true)])
    func answersChangeRequestFromTheSocketThatItNames(address: Bool, port: Bool) throws {
        let harness = ServerHarness.started()
        for startAddress in [ServerHarness.primary, ServerHarness.alternate] {
            for startPort: UInt16 in [3478, 3479] {
                let otherAddress =
                    startAddress == ServerHarness.primary ? ServerHarness.alternate : ServerHarness.primary
                let otherPort: UInt16 = startPort == 3478 ? 3479 : 3478
                let expected = Endpoint(address ? otherAddress : startAddress, port ? otherPort : startPort)
                let asked = RawMessage.changing(address: address, port: port).fingerprinted
                let transmits = harness.ask(asked.bytes, at: Endpoint(startAddress, startPort))
                let message = try answer(transmits)
                #expect(harness.paths[transmits[0].path]?.local == expected)
                #expect(transmits[0].destination == client)
                #expect(message.endpoint(RawMessage.responseOrigin) == expected)
                // RFC 5780 s6.1: the opposite of where it was received, whatever was asked to change.
                #expect(message.endpoint(RawMessage.otherAddress) == Endpoint(otherAddress, otherPort))
            }
        }
    }

    @Test func changeRequestWithoutAnAlternateIsAnUnknownAttribute() throws {
        let harness = ServerHarness.started(discovery: false)
        let message = try answer(harness.ask(RawMessage.changing(address: true, port: false).bytes))
        #expect(message.type == 0x0111)
        #expect(message.errorCode == 420)
        #expect(message[RawMessage.unknownAttributes] == RawMessage.word(RawMessage.changeRequest))
    }

    @Test func unknownRequiredAttributesAreListed() throws {
        let harness = ServerHarness.started()
        let request = RawMessage.request.adding(0x7ABC, [1, 2, 3]).adding(0xFABC, [4]).adding(0x7ABD).fingerprinted
        let message = try answer(harness.ask(request.bytes))
        #expect(message.errorCode == 420)
        #expect(message[RawMessage.unknownAttributes] == [0x7A, 0xBC, 0x7A, 0xBD])
        #expect(message.hasValidFingerprint)
    }

    @Test func unknownOptionalAttributesAreIgnored() throws {
        let harness = ServerHarness.started()
        #expect(try answer(harness.ask(RawMessage.request.adding(0xFABC, [4]).bytes)).type == 0x0101)
    }

    @Test func responsePortIsHonouredAtTheSourcesOwnAddress() throws {
        let harness = ServerHarness.started()
        let transmits = harness.ask(RawMessage.request.askingForPort(41_000).bytes)
        #expect(transmits.map(\.destination) == [Endpoint(client.address, 41_000)])
        #expect(try answer(transmits).endpoint(RawMessage.xorMappedAddress) == client)
    }

    @Test(arguments: [0, 53, 1023] as [UInt16])
    func responsePortReachesNoSystemPort(port: UInt16) throws {
        let harness = ServerHarness.started()
        let transmits = harness.ask(RawMessage.request.askingForPort(port).bytes)
        #expect(transmits.map(\.destination) == [client])
        #expect(try answer(transmits).errorCode == 400)
    }

    @Test func paddingIsAnsweredWithPaddingWithinTheLimit() throws {
        let harness = ServerHarness.started()
        let request = RawMessage.request.adding(RawMessage.padding, [UInt8](repeating: 0, count: 1000)).bytes
        let message = try answer(harness.ask(request))
        // RFC 5780 s6.1: as long as the MTU, so that the answer is fragmented.
        #expect(message[RawMessage.padding]?.count == 1500)
        #expect(message.endpoint(RawMessage.xorMappedAddress) == client)
    }

    @Test func paddingIsNoLongerThanTheLimitLeaves() throws {
        let harness = ServerHarness.started()
        let request = RawMessage.request.adding(RawMessage.padding, [UInt8](repeating: 0, count: 100)).bytes
        let message = try answer(harness.ask(request))
        #expect(message.bytes.count == 3 * request.count)
    }

    @Test func paddingWithResponsePortIsABadRequest() throws {
        let harness = ServerHarness.started()
        let request = RawMessage.request.adding(RawMessage.padding, [0, 0, 0, 0]).askingForPort(41_000).bytes
        let transmits = harness.ask(request)
        #expect(transmits.map(\.destination) == [client])
        #expect(try answer(transmits).errorCode == 400)
    }

    @Test func clientsOfRFC3489GetItsAttributes() throws {
        let harness = ServerHarness.started()
        var request = RawMessage.request
        request.cookie = 0xDEAD_BEEF
        let message = try answer(harness.ask(request.bytes))
        #expect(message.cookie == 0xDEAD_BEEF)
        #expect(message.endpoint(RawMessage.mappedAddress) == client)
        #expect(message.endpoint(RawMessage.sourceAddress) == primary)
        #expect(message.endpoint(RawMessage.changedAddress) == Endpoint(ServerHarness.alternate, 3479))
        #expect(message[RawMessage.xorMappedAddress] == nil)
        #expect(message[RawMessage.otherAddress] == nil)
    }

    @Test func clientsOfRFC3489MayChangeTheSourceToo() throws {
        let harness = ServerHarness.started()
        var request = RawMessage.changing(address: true, port: true)
        request.cookie = 0xDEAD_BEEF
        let transmits = harness.ask(request.bytes)
        #expect(harness.paths[transmits[0].path]?.local == Endpoint(ServerHarness.alternate, 3479))
        #expect(
            try answer(transmits).endpoint(RawMessage.sourceAddress) == Endpoint(ServerHarness.alternate, 3479))
    }

    @Test func anAnswerIsNeverSentToAThirdParty() throws {
        let harness = ServerHarness.started()
        var request = RawMessage.request.adding(RawMessage.responseAddress, [0, 1, 0, 80, 203, 0, 113, 5])
        for cookie: UInt32 in [0x2112_A442, 0xDEAD_BEEF] {
            request.cookie = cookie
            let transmits = harness.ask(request.bytes)
            #expect(transmits.map(\.destination) == [client])
            #expect(try answer(transmits).errorCode == 420)
        }
    }

    @Test func anAttributeThatOverrunsIsABadRequest() throws {
        let harness = ServerHarness.started()
        var bytes = RawMessage.request.adding(RawMessage.software, [65, 66, 67, 68]).bytes
        bytes[23] = 200
        #expect(try answer(harness.ask(bytes)).errorCode == 400)
    }

    @Test(
        arguments: [
            ("indication", 0x0011), ("success response", 0x0101), ("error response", 0x0111), ("Allocate", 0x0003),
            ("unknown method", 0x0FFE),
        ] as [(String, UInt16)])
    func onlyBindingRequestsAreAnswered(name: String, type: UInt16) {
        let harness = ServerHarness.started()
        var message = RawMessage.request
        message.type = type
        #expect(harness.ask(message.bytes).isEmpty, "\(name)")
    }

    @Test func aBadFingerprintIsNotAnswered() {
        let harness = ServerHarness.started()
        var bytes = RawMessage.request.fingerprinted.bytes
        bytes[bytes.count - 1] ^= 1
        #expect(harness.ask(bytes).isEmpty)
        #expect(harness.server.counts.malformed == 1)
    }

    @Test func sourcesThatNoClientHasAreNotAnswered() throws {
        let harness = ServerHarness.started()
        let sources = [
            primary, Endpoint(ServerHarness.alternate, 3479), Endpoint(client.address, 0),
            Endpoint(IPAddress(224, 0, 0, 1), 5000), Endpoint(IPAddress(255, 255, 255, 255), 5000),
            Endpoint(IPAddress(0, 0, 0, 0), 5000),
        ]
        for source in sources {
            #expect(harness.ask(RawMessage.request.bytes, from: source).isEmpty, "\(source)")
        }
    }

    @Test func aSourceThatAsksTooOftenIsHeldToItsRateAndToldOnce() {
        let harness = ServerHarness.started { $0.rate = .init(perSecond: 10, burst: 5) }
        let answered = (0..<100).filter { _ in !harness.ask(RawMessage.request.bytes).isEmpty }
        #expect(answered.count == 5)
        // Another port of the same host is the same source, and so is a port that it asks to be answered on.
        let otherPort = Endpoint(client.address, 40_001)
        #expect(harness.ask(RawMessage.request.askingForPort(50_000).bytes, from: otherPort).isEmpty)
        #expect(!harness.ask(RawMessage.request.bytes, from: Endpoint(IPAddress(198, 51, 100, 8), 1)).isEmpty)
        let told = harness.events.filter { if case .rateLimited = $0 { true } else { false } }
        #expect(told == [.rateLimited(client, total: 1)])
        #expect(harness.server.counts.rateLimited == 96)
        harness.wait(atMost: .seconds(1))
        #expect(!harness.ask(RawMessage.request.bytes).isEmpty)
    }

    @Test func anICMPErrorAboutAnAnswerChangesNothing() throws {
        let harness = ServerHarness.started()
        let path = try #require(harness.path(.datagram, at: primary))
        harness.handle(
            .pathError(
                PathError(path: path, kind: .portUnreachable, origin: .icmp(from: client.address), destination: client))
        )
        #expect(!harness.ask(RawMessage.request.bytes).isEmpty)
    }

    @Test func aSocketThatIsLostLaterEndsDiscovery() throws {
        let harness = ServerHarness.started()
        let path = try #require(harness.path(.datagram, at: Endpoint(ServerHarness.alternate, 3478)))
        harness.handle(
            .pathError(PathError(path: path, kind: .addressNotAvailable, origin: .local, isFatal: true)))
        let message = try answer(harness.ask(RawMessage.request.bytes))
        #expect(message[RawMessage.otherAddress] == nil)
        #expect(try answer(harness.ask(RawMessage.changing(address: false, port: true).bytes)).errorCode == 420)
    }
}
