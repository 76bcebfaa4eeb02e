// swift-tools-version:6.2
import PackageDescription

/// The house rules every Swift target is compiled under.
let strict: [SwiftSetting] = [
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let toml = Target.Dependency.product(name: "TOMLKit", package: "TOMLKit")

func module(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: strict)
}

let package = Package(
    name: "weir",
    products: [.executable(name: "weir", targets: ["weir"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
    ],
    targets: [
        // A target imports only targets that stand above it (TidyTests holds this).
        .systemLibrary(name: "CCurl"),
        .systemLibrary(name: "CLMDB"),
        .systemLibrary(name: "CSQLite"),
        .target(name: "CLinux"),
        module("Base", ["CLinux"]),
        module("Settings", ["Base", toml]),
        module("Telemetry", ["Base", logging]),
        module("LMDB", ["Base", "CLMDB"]),
        module("SQLite", ["Base", "CSQLite"]),
        module("Upstream", ["Base", "Telemetry", "CCurl", "CLinux", nioCore]),
        module("ResponseCache", ["Base", "LMDB", "SQLite", crypto, nioCore]),
        module("Ledger", ["Base", "SQLite", crypto]),
        module("Gateway", ["Base", "Settings", "Telemetry", "Upstream", "ResponseCache", "Ledger", nioCore]),
        module("Operations", ["Base", "CLinux", "Settings", "Telemetry", "SQLite", "Ledger"]),
        module(
            "HTTPAPI",
            ["Base", "CLinux", "Settings", "Telemetry", "Upstream", "ResponseCache", "Ledger", "Gateway", "Operations",
             nioCore, nioPosix, nioHTTP1, logging]),
        module("Simulator", ["Base", nioCore, nioPosix, nioHTTP1]),
        module("Benchmark", ["Base", "SQLite", "Ledger", "Simulator"]),
        .executableTarget(
            name: "weir",
            dependencies: [
                "Base", "Settings", "Telemetry", "SQLite", "Upstream", "ResponseCache", "Ledger", "Gateway",
                "Operations", "HTTPAPI", "Simulator", "Benchmark", argumentParser, logging, nioCore, nioPosix,
            ],
            swiftSettings: strict),

        tests("TidyTests", []),
        tests("BaseTests", ["Base"]),
        tests("SettingsTests", ["Settings", "Base"]),
        tests("TelemetryTests", ["Base", "Telemetry", logging]),
        tests("SQLiteTests", ["Base", "SQLite"]),
        tests("UpstreamTests", ["Base", "Telemetry", "Upstream", nioCore, nioPosix]),
        tests("LMDBTests", ["Base", "LMDB"]),
        tests("ResponseCacheTests", ["Base", "LMDB", "SQLite", "ResponseCache", nioCore]),
        tests("LedgerTests", ["Base", "SQLite", "Ledger"]),
        tests(
            "GatewayTests",
            ["Base", "Settings", "Telemetry", "Upstream", "Ledger", "Gateway", nioCore, nioPosix, nioEmbedded]),
        tests("OperationsTests", ["Base", "Operations"]),
        tests(
            "HTTPAPITests",
            ["Base", "Settings", "Telemetry", "Upstream", "Ledger", "Gateway", "Operations", "HTTPAPI", nioCore, nioPosix,
             nioHTTP1, nioEmbedded, logging]),
        tests("SimulatorTests", ["Base", "Simulator", nioCore, nioHTTP1]),
        tests("BenchmarkTests", ["Base", "Benchmark"]),
        // Drives the built binary only; Base and Benchmark lend it clocks and child processes.
        tests("IntegrationTests", ["Base", "Benchmark"]),
    ],
    swiftLanguageModes: [.v6]
)
