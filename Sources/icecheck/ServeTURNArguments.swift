import ArgumentParser
import HostIO
import NetTypes
import STUN
import Server
import Session

/// What makes `serve` a TURN server.
struct ServeTURNArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Relay for this user. Better in --account-file, which no process list shows.", valueName: "name:password"))
    var account: [String] = []

    @Option(
        help: ArgumentHelp("A file with a line name:password for each user; - reads standard input.", valueName: "file")
    )
    var accountFile: String?

    @Option(
        help: ArgumentHelp(
            "Relay for temporary credentials of the TURN REST API, made with this shared secret; better in "
                + "ICECHECK_TURN_SECRET or a file.", valueName: "secret"))
    var secret: String?

    @Option(help: ArgumentHelp("A file that holds the shared secret; - reads standard input.", valueName: "file"))
    var secretFile: String?

    @Option(help: ArgumentHelp("The realm.", valueName: "realm"))
    var realm = "icecheck"

    @Option(
        help: ArgumentHelp(
            "Relay from this address; once for each family. (default: those of --listen)", valueName: "address"))
    var relayAddress: [String] = []

    @Option(help: ArgumentHelp("The ports to relay from.", valueName: "min-max"))
    var relayPorts = "49152-65535"

    @Flag(help: "Relay to any address, not only to this machine and private networks.")
    var allowAnyPeer = false

    @Option(help: ArgumentHelp("Allocations in all.", valueName: "n"))
    var maxAllocations = 1000

    @Option(help: ArgumentHelp("Allocations of one user.", valueName: "n"))
    var quota = 100

    @Option(help: ArgumentHelp("Seconds that a nonce is good.", valueName: "seconds"))
    var nonceLifetime = 600

    /// Nil where neither an account nor a secret is given.
    ///
    /// - Throws: ``Failure`` with the right form.
    func configuration(listening: [IPAddress]) throws -> TURNServerConfiguration? {
        let accounts = try accounts()
        let secret =
            try TURNArguments.secret(secret, file: secretFile, option: "--secret") ?? TURNArguments.environmentSecret
        guard !accounts.isEmpty || secret != nil else { return nil }
        let relays = try relayAddress.map(address)
        guard relays.isEmpty == false || !listening.contains(where: { $0.realm == .unspecified }) else {
            throw Failure(
                status: .usage,
                "--listen 0.0.0.0 or :: does not say which address to relay from: give --relay-address")
        }
        var configuration = TURNServerConfiguration(
            accounts: accounts, secret: secret.map { HiddenText($0.reveal()) }, wallClock: WallClock.secondsSince1970,
            relayAddresses: relays.isEmpty ? listening : relays)
        configuration.realm = try checkedRealm()
        configuration.relayPorts = try ports()
        configuration.allowsAnyPeer = allowAnyPeer
        configuration.mostAllocations = try positive(maxAllocations, "--max-allocations")
        configuration.mostAllocationsOfAUser = try positive(quota, "--quota")
        configuration.nonceLifetime = .seconds(try positive(nonceLifetime, "--nonce-lifetime"))
        return configuration
    }

    private func accounts() throws -> [TURNServerConfiguration.Account] {
        var lines = account.map { (text: $0, place: "--account") }
        if let accountFile {
            let text = String(decoding: try Input.read(accountFile, for: "--account-file"), as: UTF8.self)
            for (number, line) in text.split(whereSeparator: \.isNewline).enumerated() {
                lines.append((String(line), "--account-file \(QuotedInput(accountFile)), line \(number + 1)"))
            }
        }
        return try lines.map { line in
            let parts = line.text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
                throw Failure(status: .usage, "\(line.place): the right form is name:password")
            }
            do {
                _ = try Username(parts[0])
                _ = try ShortTermKey(password: parts[1])
            } catch {
                throw Failure(status: .usage, "\(line.place): \(error)")
            }
            return TURNServerConfiguration.Account(username: String(parts[0]), password: String(parts[1]))
        }
    }

    private func checkedRealm() throws -> String {
        guard !realm.isEmpty, realm.count < 128 else {
            throw Failure(status: .usage, "--realm takes 1 to 127 characters (RFC 8489 s14.9)")
        }
        return realm
    }

    private func ports() throws -> ClosedRange<UInt16> {
        let parts = relayPorts.split(separator: "-").map { UInt16($0) }
        guard parts.count == 2, let least = parts[0], let most = parts[1], least >= 1024, least < most else {
            throw Failure(
                status: .usage,
                "--relay-ports '\(QuotedInput(relayPorts))' is no range of ports from 1024 on; the right form is 50000-50100"
            )
        }
        return least...most
    }

    private func positive(_ number: Int, _ option: String) throws -> Int {
        guard (1...1_000_000).contains(number) else {
            throw Failure(status: .usage, "\(option) \(number) is out of range; it takes 1 to 1000000")
        }
        return number
    }

    private func address(_ text: String) throws -> IPAddress {
        guard let address = IPAddress(text) else {
            throw Failure(
                status: .usage,
                "--relay-address '\(QuotedInput(text))' is not an IP address; the right form is 192.0.2.1 or 2001:db8::1"
            )
        }
        return address
    }
}
