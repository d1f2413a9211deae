// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

/// A Swift target of this package, with the settings all of them share.
func target(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func testTarget(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

let package = Package(
    name: "lux-backend",
    products: [.executable(name: "lux-server", targets: ["lux-server"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.1.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    ],
    targets: [
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),

        // Infrastructure: knows nothing of LUX.
        target("EventLoop", ["CLinux"]),
        target("TLS", ["COpenSSL"]),
        target("HTTP", ["CLinux", "EventLoop", "TLS"]),
        target("JWT", ["COpenSSL", "JSON"]),
        target("JSON"),
        target("Metrics"),
        target("LogOutput", [.product(name: "Logging", package: "swift-log")]),
        target(
            "Postgres", ["CLibPQ", "EventLoop", "Metrics", .product(name: "DequeModule", package: "swift-collections")]),

        // The product.
        target("LUX"),
        target("LUXStore", ["LUX", "Postgres", "EventLoop"]),
        target("LUXNotify", ["CCurl", "COpenSSL", "EventLoop", "JSON", "LUX"]),
        target(
            "LUXAPI",
            ["EventLoop", "HTTP", "JWT", "JSON", "LUX", "LUXStore", "LUXNotify", "Metrics", "Postgres"]),
        .executableTarget(
            name: "lux-server",
            dependencies: [
                "EventLoop", "HTTP", "TLS", "JWT", "JSON", "Metrics", "Postgres", "LUX", "LUXStore", "LUXNotify",
                "LUXAPI", "LogOutput",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Sources/LUXServer",
            swiftSettings: settings),

        .target(
            name: "LUXTestSupport", dependencies: ["CLibPQ", "COpenSSL"], path: "Tests/LUXTestSupport",
            swiftSettings: settings),
        testTarget("EventLoopTests", ["EventLoop", "LUXTestSupport"]),
        testTarget("HTTPTests", ["HTTP", "EventLoop"]),
        testTarget("JSONTests", ["JSON", "LUXTestSupport"]),
        testTarget("JWTTests", ["JWT", "LUXTestSupport"]),
        testTarget("MetricsTests", ["Metrics"]),
        testTarget(
            "LogOutputTests", ["LogOutput", "LUXTestSupport", .product(name: "Logging", package: "swift-log")]),
        testTarget("PostgresTests", ["Postgres", "EventLoop", "LUXTestSupport"]),
        testTarget("LUXAPITests", ["LUXAPI", "LUX", "HTTP", "EventLoop"]),
        testTarget("LUXNotifyTests", ["CCurl", "EventLoop", "LUX", "LUXNotify", "LUXTestSupport"]),
        testTarget("LUXTests", ["LUX", "LUXTestSupport"]),
        testTarget("DeploymentTests", ["LUXTestSupport"]),
        testTarget("DurabilityTests", ["LUXTestSupport"]),
        testTarget("LUXServerTests", ["COpenSSL", "EventLoop", "HTTP", "JWT", "LUXTestSupport", "lux-server"]),
    ]
)

// Built by Scripts/fuzz alone: its main function is libFuzzer's.
if Context.environment["LUX_FUZZ"] != nil {
    package.products.append(.executable(name: "lux-fuzz", targets: ["lux-fuzz"]))
    package.targets.append(
        .executableTarget(
            name: "lux-fuzz", dependencies: ["HTTP", "JSON", "JWT", "LUX", "LUXAPI"], path: "Fuzz",
            exclude: ["Seeds"], swiftSettings: settings,
            // The default linker, gold, fails on the sanitizer's debugging information.
            linkerSettings: [.unsafeFlags(["-use-ld=lld"])]))
}
