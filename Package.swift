// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    // A call does not leave its task's loop, so nothing is looked up to return to it: 5 % of the CPU of a read.
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

/// Release builds contain the Swift library: its functions, such as those that count references, are then called directly, which
/// saves 6 % of the CPU of a read. A fuzzer is linked as usual, for the library of its sanitizer.
let staticLibrary = Context.environment["LUX_FUZZ"] == nil ? ["-static-stdlib"] : []
let programSettings = settings + [.unsafeFlags(staticLibrary, .when(configuration: .release))]
/// The default linker, gold, warns of a function in FoundationEssentials that nothing here calls.
let programLinker: [LinkerSetting] = [.unsafeFlags(staticLibrary + ["-use-ld=lld"], .when(configuration: .release))]

/// A Swift target of this package, with the settings all of them share.
func target(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: programSettings)
}

func testTarget(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

let package = Package(
    name: "lux-backend",
    products: [.executable(name: "lux-server", targets: ["lux-server"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
    ],
    targets: [
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),

        // Infrastructure: knows nothing of LUX.
        target("Bytes"),
        target("Concurrency"),
        target("EventLoop", ["CLinux", "Concurrency"]),
        target("Systemd", ["Concurrency"]),
        target("OpenSSL", ["COpenSSL"]),
        target("TLS", ["COpenSSL", "Concurrency"]),
        target("HTTP", ["Bytes", "CLinux", "Concurrency", "EventLoop", "TLS"]),
        target("JWT", ["Bytes", "Concurrency", "COpenSSL", "JSON", "OpenSSL"]),
        target("JSON", ["Bytes"]),
        target("Metrics", ["Concurrency"]),
        target("TimeZones", ["Bytes"]),
        target("LogOutput", ["Bytes", "Concurrency", .product(name: "Logging", package: "swift-log")]),
        target(
            "Postgres",
            [
                "Bytes", "CLibPQ", "Concurrency", "EventLoop", "Metrics",
                .product(name: "DequeModule", package: "swift-collections"),
            ]),

        // The product.
        target("LUX", ["Bytes", "TimeZones"]),
        target(
            "LUXStore",
            [
                "Concurrency", "LUX", "Metrics", "Postgres", "EventLoop",
                .product(name: "DequeModule", package: "swift-collections"),
            ]),
        target(
            "LUXNotify", ["Bytes", "CCurl", "COpenSSL", "Concurrency", "JSON", "LUX", "OpenSSL", "TimeZones"]),
        target("LUXOpenAPI", ["JSON", "LUX"]),
        target(
            "LUXAPI",
            [
                "Bytes", "Concurrency", "HTTP", "JWT", "JSON", "LUX", "LUXNotify", "LUXOpenAPI", "LUXStore", "Metrics",
                "TimeZones",
            ]),
        target(
            "LUXSettings",
            [
                "Bytes", "Concurrency", "HTTP", "JSON", "JWT", "LUX", "LUXNotify", "LUXOpenAPI", "Postgres", "TLS",
                "TimeZones",
            ]),
        target(
            "LUXServer",
            [
                "Concurrency", "EventLoop", "HTTP", "JWT", "LUX", "LUXAPI", "LUXNotify", "LUXSettings",
                "LUXStore", "LogOutput", "Metrics", "Postgres", "Systemd", "TLS",
                .product(name: "Logging", package: "swift-log"),
            ]),
        target(
            "LUXOperations",
            [
                "Bytes", "CLinux", "HTTP", "JSON", "JWT", "LUX", "LUXNotify", "LUXSettings", "LUXStore", "OpenSSL",
                "Postgres", "TLS", "TimeZones",
            ]),
        target("LUXDevelopment", ["CLinux", "Postgres"]),

        // Simulated phones: run by Scripts/simulate, not shipped.
        target(
            "LUXSimulation",
            [
                "CLinux", "Concurrency", "EventLoop", "JWT", "Postgres",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "HeapModule", package: "swift-collections"),
            ]),
        .executableTarget(
            name: "lux-simulate",
            dependencies: [
                "Bytes", "JWT", "LUXSimulation", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: programSettings, linkerSettings: programLinker),

        .executableTarget(
            name: "lux-server",
            dependencies: [
                "Bytes", "Concurrency", "EventLoop", "JSON", "JWT", "LUX", "LUXAPI", "LUXDevelopment", "LUXNotify",
                "LUXOperations", "LUXServer", "LUXSettings", "LUXStore", "LogOutput", "OpenSSL", "Postgres", "Systemd",
                "TLS", "TimeZones",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: programSettings, linkerSettings: programLinker),

        .target(
            name: "LUXTestSupport", dependencies: ["CLibPQ", "COpenSSL"], path: "Tests/LUXTestSupport",
            swiftSettings: settings),
        testTarget("BytesTests", ["Bytes"]),
        testTarget("EventLoopTests", ["Concurrency", "EventLoop", "LUXTestSupport"]),
        testTarget("HTTPTests", ["Concurrency", "HTTP", "EventLoop", "LUXTestSupport"]),
        testTarget("SystemdTests", ["Concurrency", "LUXTestSupport", "Systemd"]),
        testTarget("TLSTests", ["COpenSSL", "LUXTestSupport"]),
        testTarget("JSONTests", ["JSON", "LUXTestSupport"]),
        testTarget("JWTTests", ["Bytes", "JWT", "LUXTestSupport", "OpenSSL"]),
        testTarget("MetricsTests", ["Metrics"]),
        testTarget(
            "LogOutputTests", ["LogOutput", "LUXTestSupport", .product(name: "Logging", package: "swift-log")]),
        testTarget("PostgresTests", ["Concurrency", "Postgres", "EventLoop", "LUXTestSupport", "Metrics"]),
        testTarget("LUXAPITests", ["Concurrency", "LUXAPI", "LUX", "HTTP", "EventLoop", "JSON", "TimeZones"]),
        testTarget(
            "LUXNotifyTests",
            ["CCurl", "Concurrency", "EventLoop", "LUX", "LUXNotify", "LUXTestSupport", "TimeZones"]),
        testTarget("TimeZonesTests", ["LUX", "TimeZones"]),
        testTarget("LUXTests", ["LUX", "LUXTestSupport", "TimeZones"]),
        testTarget("LUXStoreTests", ["Concurrency", "LUX", "LUXAPI", "LUXStore", "LUXTestSupport", "Postgres"]),
        testTarget(
            "LUXSettingsTests",
            ["HTTP", "JWT", "LUX", "LUXNotify", "LUXSettings", "LUXTestSupport", "TLS", "TimeZones"]),
        testTarget("LUXOperationsTests", ["LUXOperations", "LUXTestSupport", "Postgres"]),
        testTarget("LUXSimulationTests", ["JWT", "LUXSimulation", "LUXTestSupport"]),
        testTarget("LUXDevelopmentTests", ["LUXDevelopment", "LUXTestSupport"]),
        testTarget("DeploymentTests", ["LUXTestSupport"]),
        testTarget("DurabilityTests", ["LUXTestSupport"]),
        testTarget(
            "LUXServerTests",
            [
                "COpenSSL", "Concurrency", "EventLoop", "HTTP", "JWT", "LUXAPI", "LUXOperations", "LUXServer",
                "LUXSettings", "LUXTestSupport", "LogOutput", "Postgres", "Systemd", "lux-server",
                .product(name: "Logging", package: "swift-log"),
            ]),
    ]
)

// Built by Scripts/fuzz alone: its main function is libFuzzer's.
if Context.environment["LUX_FUZZ"] != nil {
    package.products.append(.executable(name: "lux-fuzz", targets: ["lux-fuzz"]))
    package.targets.append(
        .executableTarget(
            name: "lux-fuzz",
            dependencies: ["Bytes", "HTTP", "JSON", "JWT", "LUX", "LUXAPI", "OpenSSL", "TimeZones"], path: "Fuzz",
            exclude: ["Seeds"], swiftSettings: settings,
            // The default linker, gold, fails on the sanitizer's debugging information.
            linkerSettings: [.unsafeFlags(["-use-ld=lld"])]))
}

// Built by Scripts/benchmark alone.
if Context.environment["LUX_BENCHMARKS"] != nil {
    package.products.append(.executable(name: "lux-benchmarks", targets: ["lux-benchmarks"]))
    package.targets.append(
        .executableTarget(
            name: "lux-benchmarks", dependencies: ["HTTP", "JSON", "JWT", "LUX", "TimeZones"], path: "Benchmarks",
            swiftSettings: programSettings, linkerSettings: programLinker))
}
