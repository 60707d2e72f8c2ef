// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

/// A library module of ours; it may import only what `dependencies` names (DESIGN: the house).
func module(_ name: String, _ dependencies: [Target.Dependency] = [], also extra: [SwiftSetting] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings + extra)
}

/// The tests of one module; they mirror `Sources/<Module>`. `files` are read by path.
func tests(_ name: String, _ dependencies: [Target.Dependency], files: [String] = []) -> Target {
    .testTarget(name: "\(name)Tests", dependencies: dependencies, exclude: files, swiftSettings: settings)
}

let package = Package(
    name: "muster",
    products: [
        .library(name: "Muster", targets: ["Muster"]),
        .executable(name: "muster", targets: ["MusterTool"]),
    ],
    traits: [
        .default(enabledTraits: ["Foundation", "Network"]),
        .trait(name: "Foundation", description: "Data, Date, URL and UUID travel; 8 MB in a static executable."),
        .trait(
            name: "Network",
            description: "Links to other hosts over TCP and TLS: ssh, elastic, job queues; swift-nio and swift-nio-ssl."
        ),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    ],
    targets: [
        // Pure core.
        module("Wire", also: [.enableExperimentalFeature("Lifetimes")]),
        module("WireFoundation", ["Wire"]),
        module("Placement"),
        module("Scheduling"),

        // One outside thing each.
        .systemLibrary(name: "CHwloc", pkgConfig: "hwloc", providers: [.apt(["libhwloc-dev"])]),
        .systemLibrary(name: "CNuma", pkgConfig: "numa", providers: [.apt(["libnuma-dev"])]),
        .target(name: "CPlatform"),
        module("Machine", ["Placement", "CHwloc", "CNuma", "CPlatform"]),
        module("Transport", ["Wire"]),
        module("SharedMemoryLink", ["Transport", "Wire", "CPlatform"]),
        module(
            "TCPLink",
            [
                "Transport", "Wire",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOTLS", package: "swift-nio"),
            ]),

        // Remote work.
        module("Remote", ["CPlatform", "Wire"]),
        module("Agent", ["Transport", "SharedMemoryLink", "Machine", "Placement", "Remote", "Wire", "CPlatform"]),
        module("ClusterRuntime", ["Transport", "Placement", "Scheduling", "Remote", "Wire"]),
        module("ParallelMap", ["ClusterRuntime", "Remote", "Scheduling", "Transport", "Wire"]),
        module(
            "ClusterManagers",
            [
                "ClusterRuntime", "Agent", "Machine", "Placement", "Remote", "Scheduling", "SharedMemoryLink",
                "Transport",
                "Wire",
            ]),
        module(
            "Muster",
            [
                "Agent", "CPlatform", "ClusterManagers", "ClusterRuntime", "Machine", "ParallelMap", "Placement",
                "Remote",
                "Scheduling", "SharedMemoryLink", "Transport", "Wire",
                .target(name: "TCPLink", condition: .when(traits: ["Network"])),
                .target(name: "WireFoundation", condition: .when(traits: ["Foundation"])),
            ]),

        // Played by the process-level tests: what a user's program does, as subcommands.
        .executableTarget(
            name: "muster-test-program", dependencies: ["Muster", "Agent", "SharedMemoryLink", "Transport", "Wire"],
            path: "Tests/Program", swiftSettings: settings),

        // The program in README.md.
        .executableTarget(
            name: "muster-example", dependencies: ["Muster"], path: "Tests/Example", swiftSettings: settings),

        .executableTarget(
            name: "muster-test-other", dependencies: ["Muster"], path: "Tests/OtherProgram", swiftSettings: settings),

        // Measures what is not public: links between hosts.
        .executableTarget(
            name: "muster-link-benchmarks", dependencies: ["TCPLink", "Transport", "Wire"], path: "Benchmarks/links",
            swiftSettings: settings),

        .executableTarget(
            name: "MusterTool",
            dependencies: [
                "Muster", "Agent", "ClusterManagers", "Machine", "Remote", "SharedMemoryLink",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Tools/muster", swiftSettings: settings),

        tests("Wire", ["Wire", "WireFoundation"]),
        tests("Placement", ["CHwloc", "Placement", "Machine"], files: ["Topologies"]),
        tests("Transport", ["Transport", "Wire"]),
        tests("SharedMemoryLink", ["CPlatform", "SharedMemoryLink", "Transport", "Wire"]),
        tests(
            "TCPLink",
            [
                "TCPLink", "Transport", "Wire",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ]),
        tests("Remote", ["Remote", "Transport", "Wire"]),
        tests("Agent", ["Agent", "Machine", "Placement", "Remote", "SharedMemoryLink", "Transport", "Wire"]),
        tests("Scheduling", ["Scheduling"]),
        tests(
            "ClusterRuntime",
            ["ClusterManagers", "ClusterRuntime", "Machine", "Placement", "Remote", "Transport", "Wire"]),
        tests(
            "ParallelMap",
            [
                "ClusterManagers", "ClusterRuntime", "ParallelMap", "Placement", "Remote", "Scheduling", "Transport",
                "Wire",
            ]),
        tests("Machine", ["Machine", "Placement"]),
        tests(
            "ClusterManagers",
            [
                "Agent", "ClusterManagers", "ClusterRuntime", "ParallelMap", "Remote", "Scheduling", "SharedMemoryLink",
                "Transport", "Wire",
            ]),
        tests(
            "Tool",
            ["MusterTool", "muster-example", "CPlatform", "ClusterManagers", "ClusterRuntime", "Machine", "Placement"]),
        tests("Process", ["muster-test-program", "muster-test-other", "CPlatform", "Machine", "Placement"]),
    ],
    swiftLanguageModes: [.v6]
)
