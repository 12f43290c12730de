/// The two bits of a message type that say its role in a transaction (RFC 8489 s5).
package enum MessageClass: UInt16, Hashable, Sendable, CaseIterable {
    case request = 0b00
    case indication = 0b01
    case successResponse = 0b10
    case errorResponse = 0b11

    package var name: String {
        switch self {
        case .request: "request"
        case .indication: "indication"
        case .successResponse: "success response"
        case .errorResponse: "error response"
        }
    }

    /// The class bits at their places in the message type: C1 is bit 8, C0 is bit 4.
    var typeBits: UInt16 { (rawValue & 0b10) << 7 | (rawValue & 0b01) << 4 }

    init(messageType: UInt16) {
        switch (messageType & 0x0100 != 0, messageType & 0x0010 != 0) {
        case (false, false): self = .request
        case (false, true): self = .indication
        case (true, false): self = .successResponse
        case (true, true): self = .errorResponse
        }
    }
}
