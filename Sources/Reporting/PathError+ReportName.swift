import Diagnosis
package import NetTypes

extension PathError.Kind {
    /// The word that reports use: that of ``ProbeError/Kind`` where a probe can end of it.
    package var reportName: String {
        switch self {
        case .portUnreachable: ProbeError.Kind.portUnreachable.rawValue
        case .hostUnreachable: ProbeError.Kind.hostUnreachable.rawValue
        case .networkUnreachable: ProbeError.Kind.networkUnreachable.rawValue
        case .administrativelyProhibited: ProbeError.Kind.administrativelyProhibited.rawValue
        case .timeToLiveExceeded: ProbeError.Kind.timeToLiveExceeded.rawValue
        case .messageTooBig: ProbeError.Kind.messageTooBig.rawValue
        case .protocolUnreachable: ProbeError.Kind.protocolUnreachable.rawValue
        case .connectionRefused: ProbeError.Kind.connectionRefused.rawValue
        case .connectionReset: ProbeError.Kind.connectionReset.rawValue
        case .connectionTimedOut: ProbeError.Kind.connectionTimedOut.rawValue
        case .notPermitted: ProbeError.Kind.notPermitted.rawValue
        case .otherICMP: ProbeError.Kind.otherICMP.rawValue
        case .addressNotAvailable: "address-not-available"
        case .addressInUse: "address-in-use"
        case .familyNotSupported: "family-not-supported"
        case .outOfResources: "out-of-resources"
        case .noSuchInterface: "no-such-interface"
        case .system: "system"
        }
    }
}
