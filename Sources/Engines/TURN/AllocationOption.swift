package import NetTypes
import STUN

/// What may be asked of an allocation beyond the usual. A server that refuses or ignores it may still relay.
package enum AllocationOption: String, Hashable, Sendable, Codable, CaseIterable {
    /// EVEN-PORT (RFC 8656 s7.1).
    case evenPort = "even-port"
    /// EVEN-PORT with its R bit: the next higher port is reserved for another allocation.
    case nextPort = "next-port"
    /// DONT-FRAGMENT.
    case dontFragment = "dont-fragment"
    /// ADDITIONAL-ADDRESS-FAMILY: relayed addresses of both families in one allocation.
    case bothFamilies = "both-families"

    var attribute: AttributeType {
        switch self {
        case .evenPort, .nextPort: .evenPort
        case .dontFragment: .dontFragment
        case .bothFamilies: .additionalAddressFamily
        }
    }

    /// Of those that were asked for, the ones that an error response to the Allocate may be about; empty where it is
    /// about something else. The allocation is asked for again without them.
    package static func refused(by response: TURNErrorResponse, of asked: Set<Self>) -> Set<Self> {
        let refused: Set<Self> =
            switch response.code {
            case 420: Set(allCases.filter { response.unknownAttributes.contains($0.attribute) })
            case 440, 443: [.bothFamilies]
            case 508: [.evenPort, .nextPort]
            case 400: Set(allCases)
            default: []
            }
        return refused.intersection(asked)
    }
}

extension TURNConfiguration {
    package mutating func ask(for options: Set<AllocationOption>) {
        if options.contains(.nextPort) {
            port = .even(reservingNext: true)
        } else if options.contains(.evenPort) {
            port = .even(reservingNext: false)
        }
        dontFragment = options.contains(.dontFragment)
        if options.contains(.bothFamilies) { families = .dual }
    }
}

/// What a server made of an option.
package struct AllocationOptionAnswer: Hashable, Sendable, Codable {
    package enum Outcome: String, Hashable, Sendable, Codable, CaseIterable {
        case granted
        /// The allocation is there, and nothing shows that the server took notice of the option.
        case ignored
        case refused
    }

    package var option: AllocationOption
    package var outcome: Outcome
    /// Of the error response that refuses it.
    package var code: Int?
    /// The relayed address that it led to: of the reserved port, or of the second family.
    package var address: Endpoint?

    package init(_ option: AllocationOption, _ outcome: Outcome, code: Int? = nil, address: Endpoint? = nil) {
        self.option = option
        self.outcome = outcome
        self.code = code
        self.address = address
    }
}

extension TURNAllocated {
    /// What the server made of the options of this allocation.
    package func answers(to options: Set<AllocationOption>) -> [AllocationOptionAnswer] {
        AllocationOption.allCases.filter(options.contains).map { option in
            let isGranted =
                switch option {
                case .evenPort: relayedAddresses.first.map { $0.port % 2 == 0 } ?? false
                case .nextPort: reservationToken != nil
                // A server that does not know it must refuse it (RFC 8489 s6.3.1).
                case .dontFragment: true
                case .bothFamilies: Set(relayedAddresses.map(\.family)).count == 2
                }
            if option == .bothFamilies, let error = addressErrors.first {
                return AllocationOptionAnswer(option, .refused, code: error.error.code)
            }
            let second = option == .bothFamilies ? relayedAddresses.dropFirst().first : nil
            return AllocationOptionAnswer(option, isGranted ? .granted : .ignored, address: second)
        }
    }
}
