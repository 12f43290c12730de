/// The one buffer that every socket reads into; what stays is copied out of it once.
final class ReceiveBuffer {
    let bytes: UnsafeMutableRawBufferPointer

    /// Room for the largest datagram.
    init() {
        bytes = .allocate(byteCount: 65_535, alignment: 16)
    }

    deinit { bytes.deallocate() }

    func prefix(_ count: Int) -> [UInt8] { [UInt8](bytes[..<min(count, bytes.count)]) }
}
