/// Which side begins a connection (RFC 4145 s4), here DTLS (RFC 8842 s5.2).
package enum SetupRole: String, Hashable, Sendable, CaseIterable {
    /// Begins: the DTLS client.
    case active
    /// Waits: the DTLS server.
    case passive
    /// Of an offer: the other side chooses.
    case actpass
    /// Nothing is to be set up for now.
    case holdconn

    /// What an answer says to an offer of this (RFC 8842 s5.3): where there is a choice, the answerer begins.
    package var answer: SetupRole {
        switch self {
        case .active: .passive
        case .passive, .actpass: .active
        case .holdconn: .holdconn
        }
    }
}
