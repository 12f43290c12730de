extension SecureFacts {
    /// Products that open TLS to look inside, by what their certificates' issuers say, in lower case.
    private static let inspectionProducts: [(mark: String, name: String)] = [
        ("fortinet", "Fortinet"), ("fortigate", "Fortinet"), ("zscaler", "Zscaler"),
        ("palo alto", "Palo Alto Networks"),
        ("blue coat", "Blue Coat"), ("bluecoat", "Blue Coat"), ("sophos", "Sophos"),
        ("cisco umbrella", "Cisco Umbrella"),
        ("opendns", "Cisco Umbrella"), ("mcafee", "McAfee"), ("skyhigh security", "Skyhigh Security"),
        ("mitmproxy", "mitmproxy"), ("kaspersky", "Kaspersky"), ("avast", "Avast"), ("avg web/mail shield", "AVG"),
        ("eset ssl filter", "ESET"), ("netskope", "Netskope"), ("forcepoint", "Forcepoint"), ("websense", "Websense"),
        ("check point", "Check Point"), ("barracuda", "Barracuda"), ("watchguard", "WatchGuard"),
        ("sonicwall", "SonicWall"), ("bitdefender", "Bitdefender"), ("symantec web", "Symantec Web Security"),
        ("trend micro", "Trend Micro"), ("untangle", "Untangle"), ("iboss", "iboss"),
        ("cato networks", "Cato Networks"),
        ("gateway ca - cloudflare", "Cloudflare Gateway"), ("squid", "Squid"), ("burp", "Burp Suite"),
        ("portswigger", "Burp Suite"), ("charles proxy", "Charles Proxy"), ("fiddler", "Fiddler"),
        ("adguard", "AdGuard"), ("smoothwall", "Smoothwall"), ("securly", "Securly"), ("lightspeed", "Lightspeed"),
        ("dr.web", "Dr.Web"), ("superfish", "Superfish"), ("proxyman", "Proxyman"),
    ]

    /// The product that one of the issuers names: somebody on the way looks inside, whether its root is trusted here or
    /// not.
    package var inspectionProduct: String? {
        let issuers = chain.map(\.issuer) + [trustAnchor?.subject].compactMap(\.self)
        for issuer in issuers {
            let text = String(decoding: issuer.bytes, as: UTF8.self).lowercased()
            if let found = Self.inspectionProducts.first(where: { text.contains($0.mark) }) { return found.name }
        }
        return nil
    }
}
