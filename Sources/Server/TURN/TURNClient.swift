import NetTypes

/// A client of a TURN server by its five-tuple (RFC 8656 s3.2): the server's socket or connection, and the other end.
struct TURNClient: Hashable {
    let path: PathID
    let remote: Endpoint
    let isConnection: Bool

    var transport: Transport { isConnection ? .tcp : .udp }

    /// Bytes on their way to it.
    func output(_ bytes: [UInt8]) -> Output {
        isConnection ? .write(path, bytes) : .transmit(Transmit(path: path, destination: remote, bytes: bytes))
    }
}
