// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that Muster's benchmarks do not wait for swift-protobuf. `Benchmarks/peers/build` builds it.
// The data, its checksums and the counter of allocations are the benchmarks' own files.
//
// `data.pb.swift` is what protoc-gen-swift of this version makes of `data.proto`. It is kept, since the plugin would
// build all of protoc, which takes ten minutes. To make it again, build the generator in a checkout of swift-protobuf
// with `swift build --product protoc-gen-swift`, and here
//   protoc -I .. --plugin=CHECKOUT/.build/debug/protoc-gen-swift --swift_out=Sources/swift-protobuf-peer data.proto
let package = Package(
    name: "swift-protobuf-peer",
    dependencies: [.package(url: "https://github.com/apple/swift-protobuf", exact: "1.39.0", traits: [])],
    targets: [
        .target(name: "CFloors"),
        .executableTarget(
            name: "swift-protobuf-peer",
            dependencies: ["CFloors", .product(name: "SwiftProtobuf", package: "swift-protobuf")],
            swiftSettings: [
                .strictMemorySafety(),
                .enableUpcomingFeature("ExistentialAny"),
                .enableUpcomingFeature("MemberImportVisibility"),
                .enableUpcomingFeature("InternalImportsByDefault"),
            ]),
    ],
    swiftLanguageModes: [.v6]
)
