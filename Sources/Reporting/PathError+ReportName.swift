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

    /// All of them.
    static let reportNames = [
        portUnreachable, hostUnreachable, networkUnreachable, administrativelyProhibited, timeToLiveExceeded,
        messageTooBig(mtu: nil), protocolUnreachable, connectionRefused, connectionReset, connectionTimedOut,
        addressNotAvailable, addressInUse, familyNotSupported, notPermitted, outOfResources, noSuchInterface,
        otherICMP(type: 0, code: 0), system(errno: 0),
    ].map(\.reportName)
}
