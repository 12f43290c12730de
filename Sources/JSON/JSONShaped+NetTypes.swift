package import NetTypes

/// Milliseconds.
extension Duration: JSONShaped {
    package var jsonValue: JSONValue { .milliseconds(self) }
    package static func schema(_ book: inout SchemaBook) -> JSONValue {
        book.reference("milliseconds") { _ in
            ["description": "Milliseconds, with at most three decimals.", "type": "number", "minimum": 0]
        }
    }
}

extension IPAddress: JSONShaped {
    package var jsonValue: JSONValue { .address(self) }
    package static func schema(_ book: inout SchemaBook) -> JSONValue {
        book.reference("address") { _ in
            [
                "description": "An IPv4 or IPv6 address as RFC 5952 writes it, without a zone.", "type": "string",
                "pattern": .string("^(\(ipv4Pattern)|\(ipv6Pattern))$"),
            ]
        }
    }

    fileprivate static let ipv4Pattern = "[0-9]{1,3}(\\.[0-9]{1,3}){3}"
    fileprivate static let ipv6Pattern = "[0-9a-f:]*:[0-9a-f:]*(:\(ipv4Pattern))?"
}

extension Endpoint: JSONShaped {
    package var jsonValue: JSONValue { .endpoint(self) }
    package static func schema(_ book: inout SchemaBook) -> JSONValue {
        book.reference("endpoint") { _ in
            [
                "description": "An address and a port: 192.0.2.1:3478 or [2001:db8::1]:3478.", "type": "string",
                "pattern": .string("^(\(IPAddress.ipv4Pattern)|\\[\(IPAddress.ipv6Pattern)\\]):[0-9]{1,5}$"),
            ]
        }
    }
}

/// As it may be shown.
extension OutsideText: JSONShaped {
    package var jsonValue: JSONValue { .string(cleaned()) }
    package static func schema(_ book: inout SchemaBook) -> JSONValue {
        book.reference("outsideText") { _ in
            [
                "description":
                    "Text from outside, cut after 256 characters. What a terminal would obey or hide is a visible escape.",
                "type": "string",
                "pattern": #"^[^\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]*$"#,
            ]
        }
    }
}

extension Transport: JSONWord {}
extension IPAddress.Family: JSONWord {}
extension IPAddress.Realm: JSONWord {}
extension NetworkInterface.Kind: JSONWord {}
