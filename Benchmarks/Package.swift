// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that nothing here reaches those who use Muster. `Tools/bench` builds and runs it.
let package = Package(
    name: "muster-benchmarks",
    dependencies: [.package(name: "muster", path: "..")],
    targets: [
        // What the machine can do, in C: the limits beside which everything else is measured.
        .target(name: "CFloors"),
        .executableTarget(
            name: "muster-benchmarks", dependencies: ["CFloors", .product(name: "Muster", package: "muster")],
            swiftSettings: [
                .strictMemorySafety(),
                .enableUpcomingFeature("ExistentialAny"),
                .enableUpcomingFeature("MemberImportVisibility"),
                .enableUpcomingFeature("InternalImportsByDefault"),
            ]),
    ],
    swiftLanguageModes: [.v6]
)
