import CSystem
import Glibc
import NetTypes

/// A TCP listener.
final class Listener {
    let path: PathID
    let local: Endpoint
    let descriptor: Descriptor

    init(path: PathID, _ specification: PathSpecification) throws(SystemError) {
        let wanted = specification.local ?? Endpoint(.unspecified(specification.family), 0)
        var flat = wanted.flat
        self.path = path
        descriptor = try Descriptor(csys_open_listener(&flat, specification.interface), "listen")
        _ = try SystemError.check(csys_local_endpoint(descriptor.number, &flat), "read a socket's address")
        local = Endpoint(flat) ?? wanted
    }

    enum Arrival {
        case connection(number: Int32, from: Endpoint)
        case nothing
        /// The process has no descriptor left.
        case outOfDescriptors(errno: Int32)
    }

    func accept() -> Arrival {
        var flat = csys_endpoint()
        let number = csys_accept(descriptor.number, &flat)
        if number == -EMFILE || number == -ENFILE { return .outOfDescriptors(errno: -number) }
        // A peer that is gone again is no event (ECONNABORTED and the errors of its network).
        guard number >= 0 else { return .nothing }
        guard let remote = Endpoint(flat) else {
            csys_close(number)
            return .nothing
        }
        return .connection(number: number, from: remote)
    }
}
