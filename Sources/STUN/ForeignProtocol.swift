/// A protocol that is not STUN, told by the first bytes that a server sends.
package enum ForeignProtocol: Hashable, Sendable, CaseIterable {
    case ssh
    case http
    case smtp
    case ftp
    case imap
    case pop3
    case tlsAlert
    case tlsHandshake
    case rtsp
    case mysql

    /// As a sentence goes on: "this is ...".
    package var name: String {
        switch self {
        case .ssh: "an SSH server"
        case .http: "an HTTP server"
        case .smtp: "an SMTP server"
        case .ftp: "an FTP server"
        case .imap: "an IMAP server"
        case .pop3: "a POP3 server"
        case .tlsAlert, .tlsHandshake: "a TLS server: it wants stuns: or turns:"
        case .rtsp: "an RTSP server"
        case .mysql: "a MySQL server"
        }
    }

    package static func identify(_ firstBytes: [UInt8]) -> ForeignProtocol? {
        func begins(_ text: String) -> Bool { firstBytes.starts(with: text.utf8) }
        if begins("SSH-") { return .ssh }
        if begins("HTTP/") || begins("<!DOCTYPE") || begins("<html") { return .http }
        if begins("RTSP/") { return .rtsp }
        if begins("* OK") { return .imap }
        if begins("+OK") { return .pop3 }
        if begins("220") {
            let text = String(decoding: firstBytes, as: UTF8.self).uppercased()
            return text.contains("FTP") ? .ftp : .smtp
        }
        if firstBytes.count >= 3, firstBytes[1] == 3, firstBytes[2] <= 4 {
            if firstBytes[0] == 0x15 { return .tlsAlert }
            if firstBytes[0] == 0x16 { return .tlsHandshake }
        }
        if firstBytes.count >= 6, firstBytes[3] == 0, firstBytes[4] == 0x0A, (0x30...0x39).contains(firstBytes[5]) {
            return .mysql
        }
        return nil
    }
}
