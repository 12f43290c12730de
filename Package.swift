// swift-tools-version: 6.2
import PackageDescription

/// CI sets ICECHECK_WARNINGS_AS_ERRORS; a newer compiler's new warning then does not break a user's build.
let strict = Context.environment["ICECHECK_WARNINGS_AS_ERRORS"] != nil

let swiftSettings: [SwiftSetting] =
    [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
    ] + (strict ? [.treatAllWarnings(as: .error)] : [])

/// One binary that needs OpenSSL and libc and no C++ runtime, and that starts soon. Swift's static runtime asks for
/// -lstdc++, which `Support/link` answers with the archive; only lld takes it from there.
let linkerSettings: [LinkerSetting] = [
    .unsafeFlags(
        [
            "-use-ld=lld", "-L\(Context.packageDirectory)/Support/link", "-Xclang-linker", "-static-libgcc",
            "-Xlinker", "-z", "-Xlinker", "pack-relative-relocs",
        ],
        .when(platforms: [.linux], configuration: .release))
]

/// A Swift target of the house; its dependencies are the arrows that `Scripts/check-arrows` holds.
func room(_ name: String, _ dependencies: [Target.Dependency], settings: [SwiftSetting] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: swiftSettings + settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, resources: resources, swiftSettings: swiftSettings)
}

let package = Package(
    name: "icecheck",
    products: [.executable(name: "icecheck", targets: ["icecheck"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
    ],
    targets: [
        .target(name: "CSystem"),
        // libcrypto is not linked: it is loaded when the first digest is asked for.
        .target(name: "COpenSSL"),
        room("NetTypes", []),
        // A reader over a Span says how long it lives.
        room("JSON", ["NetTypes"], settings: [.enableExperimentalFeature("Lifetimes")]),
        room("STUN", ["NetTypes", "COpenSSL"]),
        room("Engines", ["NetTypes", "STUN"]),
        room("SecureTransport", ["NetTypes", "COpenSSL"]),
        room("SimNet", ["NetTypes", "STUN", "Engines"]),
        room("Signaling", ["NetTypes", "STUN", "Engines", "JSON"]),
        // A plan holds what the engines are given: schedules, credentials, limits.
        room("Planning", ["NetTypes", "STUN", "Engines", "JSON"]),
        // A fact names what was planned, and a recorded run holds its plan.
        room("Facts", ["NetTypes", "STUN", "Engines", "JSON", "Planning"]),
        room("Session", ["NetTypes", "STUN", "Engines", "Signaling", "SecureTransport", "Planning", "Facts"]),
        room("Diagnosis", ["NetTypes", "STUN", "Engines", "Planning", "Facts"]),
        room(
            "Prediction",
            ["NetTypes", "STUN", "Engines", "JSON", "Planning", "Facts", "Diagnosis", "SimNet", "Server"]),
        room("Dissection", ["NetTypes", "STUN", "Engines", "JSON", "Signaling", "Planning"]),
        room(
            "Reporting",
            ["NetTypes", "STUN", "Engines", "JSON", "Planning", "Facts", "Diagnosis", "Prediction", "Dissection"]),
        room("HostIO", ["NetTypes", "CSystem"]),
        room("Server", ["NetTypes", "STUN", "Engines"]),
        .executableTarget(
            name: "icecheck",
            dependencies: [
                "NetTypes", "JSON", "STUN", "Engines", "SecureTransport", "Planning", "Facts", "Session", "Diagnosis",
                "Prediction", "Dissection", "Reporting", "HostIO", "Server",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: swiftSettings,
            linkerSettings: linkerSettings
        ),
        .target(
            name: "TestSupport", dependencies: ["Planning", "Server", "SimNet", "STUN", "NetTypes"],
            path: "Tests/TestSupport", swiftSettings: swiftSettings),
        tests("NetTypesTests", ["NetTypes"]),
        tests("JSONTests", ["JSON", "NetTypes", "SimNet"]),
        tests("STUNTests", ["STUN", "NetTypes", "SimNet"]),
        tests("EnginesTests", ["Engines", "STUN", "NetTypes", "SimNet"]),
        tests(
            "SimNetTests",
            [
                "TestSupport", "SimNet", "Planning", "Facts", "Session", "Server", "Diagnosis", "Prediction",
                "Reporting", "Engines", "STUN", "NetTypes",
            ]),
        tests("PlanningTests", ["Planning", "STUN", "NetTypes", "TestSupport"]),
        tests(
            "SessionTests",
            [
                "Session", "Planning", "Facts", "Engines", "STUN", "NetTypes", "Diagnosis", "Server", "Signaling",
                "SecureTransport", "SimNet", "TestSupport",
            ]),
        tests("DiagnosisTests", ["Diagnosis", "Planning", "Facts", "Engines", "STUN", "NetTypes", "TestSupport"]),
        tests(
            "PredictionTests",
            ["Prediction", "Diagnosis", "Planning", "Facts", "Engines", "STUN", "NetTypes", "SimNet"]),
        tests(
            "ReportingTests",
            [
                "Reporting", "JSON", "Diagnosis", "Prediction", "Planning", "Facts", "Engines", "STUN", "NetTypes",
                "Dissection", "SimNet", "TestSupport",
            ]),
        tests("SignalingTests", ["Signaling", "Engines", "STUN", "NetTypes", "SimNet"]),
        tests("DissectionTests", ["Dissection", "Signaling", "Engines", "STUN", "NetTypes", "SimNet"]),
        tests("HostIOTests", ["HostIO", "NetTypes"]),
        tests("SecureTransportTests", ["SecureTransport", "HostIO", "NetTypes", "SimNet"]),
        tests("ServerTests", ["Server", "Engines", "STUN", "NetTypes", "SimNet"]),
        tests("CommandLineTests", ["icecheck", "Planning", "HostIO", "NetTypes"]),
    ],
    swiftLanguageModes: [.v6]
)
