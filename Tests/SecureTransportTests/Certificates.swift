import NetTypes
import SecureTransport

/// Certificates that are wrong in one way each, judged in May 2026.
enum Certificates {
    static let now: Int64 = 1_777_852_921
    static let day: Int64 = 86400
    static let name = "turn.icecheck.dev"

    static func request(_ commonName: String, names: [String] = [], addresses: [IPAddress] = []) -> CertificateRequest {
        var request = CertificateRequest(commonName: commonName, notBefore: now - 30 * day, notAfter: now + 30 * day)
        request.names = names
        request.addresses = addresses
        return request
    }

    static func authority(
        _ commonName: String = "Test Root", organization: String? = nil, issuer: ServerCredentials? = nil
    ) throws -> ServerCredentials {
        var request = request(commonName)
        request.isAuthority = true
        request.organization = organization
        request.issuer = issuer
        return try ServerCredentials.make(request)
    }

    static func leaf(
        issuer: ServerCredentials?, _ change: (inout CertificateRequest) -> Void = { _ in }
    ) throws -> ServerCredentials {
        var request = request(name, names: [name], addresses: [IPAddress(127, 0, 0, 1)])
        request.issuer = issuer
        change(&request)
        return try ServerCredentials.make(request)
    }
}

extension ServerCredentials {
    func sending(_ others: ServerCredentials...) -> ServerCredentials {
        ServerCredentials(chainPEM: chainPEM + others.flatMap(\.chainPEM), keyPEM: keyPEM)
    }
}
