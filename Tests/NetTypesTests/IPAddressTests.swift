import Testing

@testable import NetTypes

@Suite struct IPAddressTests {
    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1"),
        ("0.0.0.0", "0.0.0.0"),
        ("255.255.255.255", "255.255.255.255"),
        ("::", "::"),
        ("::1", "::1"),
        ("1::", "1::"),
        ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
        ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
        ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
        ("2001:db8::1:0:0:1", "2001:db8::1:0:0:1"),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.1"),
        ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"),
        ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"),
        ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
        ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
    ])
    func textIsReadAndWrittenAsRFC5952Says(text: String, canonical: String) throws {
        let address = try #require(IPAddress(text))
        #expect(address.description == canonical)
        #expect(IPAddress(canonical) == address)
        #expect(IPAddress(bytes: address.bytes) == address)
    }

    @Test(arguments: [
        "", ".", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.-4", "1.2.3.4 ", "+1.2.3.4", "0x1.2.3.4", ":",
        ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::", "g::", ":1:2:3:4:5:6:7", "1:2:3:4:5:6:7:",
        "::1.2.3", "1.2.3.4::", "::1%eth0", "[::1]", "1:2:3:4:5:6:7::8", "::+1", "١.2.3.4",
    ])
    func otherTextIsRefused(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test(arguments: [
        ("0.0.0.0", IPAddress.Realm.unspecified), ("10.1.2.3", .privateUse), ("172.31.255.255", .privateUse),
        ("172.32.0.0", .global), ("100.64.0.1", .sharedAddressSpace), ("100.128.0.0", .global),
        ("127.9.9.9", .loopback), ("169.254.169.254", .linkLocal), ("192.0.2.9", .documentation),
        ("224.0.0.1", .multicast), ("255.255.255.255", .broadcast), ("240.0.0.1", .reserved), ("8.8.8.8", .global),
        ("::", .unspecified), ("::1", .loopback), ("fe80::1", .linkLocal), ("fd00::2", .uniqueLocal),
        ("ff02::1", .multicast), ("2001:db8::1", .documentation), ("2a00::1", .global),
        ("::ffff:127.0.0.1", .loopback), ("::ffff:10.0.0.1", .privateUse), ("64:ff9b::7f00:1", .loopback),
        ("2002:0a00:0001::1", .privateUse),
    ])
    func realmIsToldHoweverTheAddressIsWritten(text: String, realm: IPAddress.Realm) throws {
        #expect(try #require(IPAddress(text)).realm == realm)
    }

    @Test func prefixesCompareOnlyTheirBits() throws {
        let address = try #require(IPAddress("2001:db8:1::1"))
        let network = try #require(IPAddress("2001:db8::"))
        #expect(address.hasPrefix(network, length: 32))
        #expect(!address.hasPrefix(network, length: 48))
        #expect(address.hasPrefix(network, length: 0))
        #expect(!address.hasPrefix(IPAddress(0, 0, 0, 0), length: 0))
        #expect(IPAddress(10, 0, 0, 1).hasPrefix(IPAddress(10, 0, 0, 1), length: 32))
    }
}

@Suite struct EndpointTests {
    @Test(arguments: ["192.0.2.1:3478", "[2001:db8::1]:3478", "[::]:0"])
    func textRoundTrips(text: String) throws {
        #expect(try #require(Endpoint(text)).description == text)
    }

    @Test(arguments: ["192.0.2.1", "::1:3478", "[192.0.2.1]:1", "192.0.2.1:65536", "192.0.2.1:-1", ":1", ""])
    func otherTextIsRefused(text: String) {
        #expect(Endpoint(text) == nil)
    }
}

@Suite struct DurationTests {
    @Test func durationsBeyondSixtyFourBitsOfNanosecondsAreHeld() {
        #expect(Duration.seconds(Int64.max).nanoseconds > 0)
        #expect(Duration.seconds(Int64.min + 1).nanoseconds < 0)
        #expect(Duration.milliseconds(1500).nanoseconds == 1_500_000_000)
        #expect(Duration.microseconds(-3).nanoseconds == -3000)
    }
}
