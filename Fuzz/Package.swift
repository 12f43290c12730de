// swift-tools-version: 6.2
import PackageDescription

/// The rooms that take bytes from outside, built once more with libFuzzer's instrumentation and AddressSanitizer.
///
/// They are links into the main package, so that `package` declarations are seen here, too, and so that a normal
/// build knows nothing of fuzzing.
let sanitizers = ["-sanitize=fuzzer,address"]

let swiftSettings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .unsafeFlags(sanitizers + ["-parse-as-library"]),
]

func room(_ name: String, _ dependencies: [Target.Dependency], _ settings: [SwiftSetting] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: swiftSettings + settings)
}

let package = Package(
    name: "fuzz",
    targets: [
        .target(name: "COpenSSL", linkerSettings: [.linkedLibrary("crypto")]),
        room("NetTypes", []),
        room("JSON", ["NetTypes"], [.enableExperimentalFeature("Lifetimes")]),
        room("STUN", ["NetTypes", "COpenSSL"]),
        room("Engines", ["NetTypes", "STUN"]),
        room("Signaling", ["NetTypes", "STUN", "Engines", "JSON"]),
        room("SecureTransport", ["NetTypes", "COpenSSL"]),
        room("Planning", ["NetTypes", "STUN", "Engines", "JSON"]),
        room("Facts", ["NetTypes", "STUN", "Engines", "JSON", "Planning"]),
        room("Session", ["NetTypes", "STUN", "Engines", "Signaling", "SecureTransport", "Planning", "Facts"]),
        room("Dissection", ["NetTypes", "STUN", "Engines", "JSON", "Signaling", "Planning"]),
        room("SimNet", ["NetTypes", "STUN", "Engines"]),
        room("Server", ["NetTypes", "STUN", "Engines"]),
        room("Diagnosis", ["NetTypes", "STUN", "Engines", "Planning", "Facts"]),
        room(
            "Prediction",
            ["NetTypes", "STUN", "Engines", "JSON", "Planning", "Facts", "Diagnosis", "SimNet", "Server"]),
        .executableTarget(
            name: "fuzz",
            dependencies: [
                "NetTypes", "JSON", "STUN", "Engines", "Signaling", "Planning", "Session", "Prediction", "Dissection",
            ],
            swiftSettings: swiftSettings, linkerSettings: [.unsafeFlags(sanitizers + ["-use-ld=lld"])]),
    ],
    swiftLanguageModes: [.v6]
)
