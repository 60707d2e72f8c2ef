// swift-tools-version: 6.2
import Foundation
import PackageDescription

// Rings are measured by themselves, and are not public: this makes what is `package` in Muster visible here. Such a name
// is made of the directory's.
let muster = URL(filePath: Context.packageDirectory).deletingLastPathComponent().lastPathComponent.lowercased()
let packageName = String(muster.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })

// A package of its own, so that nothing here reaches those who use Muster. `Tools/bench` builds and runs it.
let package = Package(
    name: "muster-benchmarks",
    dependencies: [.package(name: "muster", path: "..")],
    targets: [
        // What the machine can do, in C: the limits beside which everything else is measured.
        .target(name: "CFloors"),
        .executableTarget(
            name: "muster-benchmarks", dependencies: ["CFloors", .product(name: "Muster", package: "muster")],
            packageAccess: false,  // to a package of its own, that is
            swiftSettings: [
                .strictMemorySafety(),
                .enableUpcomingFeature("ExistentialAny"),
                .enableUpcomingFeature("MemberImportVisibility"),
                .enableUpcomingFeature("InternalImportsByDefault"),
                .unsafeFlags(["-package-name", packageName]),
            ]),
    ],
    swiftLanguageModes: [.v6]
)
