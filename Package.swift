// swift-tools-version: 6.2
import PackageDescription

// The order of the targets is the order of a span's way through the gateway:
// read this file top to bottom and you have read the architecture.

/// Rules every module of ours is compiled under.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
]

/// Tests follow the same language rules, without the memory-safety marks that macros trip on.
let tested: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
]

let nio: [Target.Dependency] = [
  .product(name: "NIOCore", package: "swift-nio"),
  .product(name: "NIOPosix", package: "swift-nio"),
]
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")

func module(
  _ name: String, _ dependencies: [Target.Dependency] = [], path: String? = nil,
  exclude: [String] = []
) -> Target {
  .target(
    name: name, dependencies: dependencies, path: path, exclude: exclude, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = [])
  -> Target
{
  .testTarget(
    name: name + "Tests", dependencies: dependencies + ["TestSupport"], resources: resources,
    swiftSettings: tested)
}

let package = Package(
  name: "spangate",
  products: [.executable(name: "spangate", targets: ["spangate"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.0"),
    .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.0"),
    .package(url: "https://github.com/apple/swift-log.git", from: "1.16.0"),
    .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-certificates.git", from: "1.21.0"),
    .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.0"),
    .package(url: "https://github.com/groue/GRDB.swift.git", from: "7.10.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.0"),
    .package(url: "https://github.com/jpsim/Yams.git", from: "6.2.0"),
    .package(url: "https://github.com/swift-server/async-http-client.git", from: "1.37.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
  ],
  targets: [
    // The nouns.
    module("Model"),

    // C libraries and the code generated from proto/.
    .systemLibrary(
      name: "CNghttp2", pkgConfig: "libnghttp2", providers: [.apt(["libnghttp2-dev"])]),
    .systemLibrary(
      name: "CProtobufC", pkgConfig: "libprotobuf-c", providers: [.apt(["libprotobuf-c-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .target(name: "COTLP", dependencies: ["CProtobufC"]),

    // Who may come in.
    module(
      "Access",
      [
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "NIOTLS", package: "swift-nio"),
        .product(name: "NIOCore", package: "swift-nio"), logging,
      ]),

    // The path of a span.
    module("HTTP2", ["CNghttp2"]),
    module("OTLP", ["Model", "COTLP", "CProtobufC", "CZlib"]),
    module("Receive", ["Model", "Access", "HTTP2", "OTLP", nioHTTP1, logging] + nio),
    module("FlowLogs", ["Model"]),
    module("Journal", ["Model"], exclude: ["FORMAT.md"]),
    module("Assemble", ["Model"]),
    module("Analyse", ["Model"]),
    module("Windows", ["Model"]),
    module(
      "Store", ["Model", .product(name: "GRDB", package: "GRDB.swift")], exclude: ["SCHEMA.md"]),

    // What changed.
    module("Markers", ["Model"]),

    // What users read.
    module("Graph", ["Model"]),
    module("Impact", ["Model"]),
    module(
      "Query",
      [
        "Model", "Access", "Graph", "Markers", "Impact",
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"), logging,
      ] + nio),

    // What is said to others.
    module(
      "Outgoing",
      [
        "Model", "Markers",
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "CryptoExtras", package: "swift-crypto"), nioHTTP1,
      ] + nio),

    // The composition root and the command line.
    module(
      "Gateway",
      [
        "Model", "Access", "HTTP2", "OTLP", "Receive", "FlowLogs", "Journal", "Assemble", "Analyse",
        "Windows", "Store",
        "Markers", "Graph", "Impact", "Query", "Outgoing", "Yams", logging,
      ] + nio),
    module(
      "Commands",
      [
        "Model", "Access", "OTLP", "Journal", "Graph", "Gateway", logging,
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        nioHTTP1,
      ] + nio),
    .executableTarget(name: "spangate", dependencies: ["Commands"], swiftSettings: strict),

    // Measuring.
    .executableTarget(
      name: "spangate-bench", dependencies: ["Model", "OTLP", "Analyse", "Assemble", "Gateway"],
      path: "loadtest/bench", swiftSettings: tested),
    .executableTarget(
      name: "spangate-gate-table",
      dependencies: [
        "Impact", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], path: "loadtest/gate", swiftSettings: tested),
    module("Corpus", ["Model"], path: "loadtest/corpus"),
    .executableTarget(
      name: "spangate-accuracy",
      dependencies: [
        "Model", "Corpus", "Analyse", "Impact",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], path: "loadtest/accuracy", exclude: ["accuracy-floors.json"], swiftSettings: tested),
    .executableTarget(
      name: "spangate-demo", dependencies: ["Model"], path: "loadtest/demo", swiftSettings: tested),

    // Tests, in the order of what they test.
    .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: tested),
    tests("Model", ["Model"]),
    .target(
      name: "HTTP2Client", dependencies: ["CNghttp2"], path: "Tests/HTTP2Client",
      swiftSettings: tested),
    tests(
      "Access",
      [
        "Access", .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "X509", package: "swift-certificates"),
        .product(name: "NIOEmbedded", package: "swift-nio"),
        .product(name: "NIOTLS", package: "swift-nio"), logging,
      ] + nio),
    tests("HTTP2", ["HTTP2", "HTTP2Client", "CNghttp2"]),
    tests("OTLP", ["Model", "OTLP", "COTLP", "CProtobufC"]),
    tests(
      "Receive", ["Model", "Access", "HTTP2", "HTTP2Client", "OTLP", "Receive", logging] + nio),
    tests("FlowLogs", ["Model", "FlowLogs"]),
    tests("Journal", ["Model", "Journal"]),
    tests("Assemble", ["Model", "Assemble"]),
    tests("Analyse", ["Model", "OTLP", "Analyse"]),
    tests("Windows", ["Model", "Windows"]),
    tests("Store", ["Model", "Markers", "Store", .product(name: "GRDB", package: "GRDB.swift")]),
    tests("Markers", ["Model", "Graph", "Markers"]),
    tests("Graph", ["Model", "Graph"]),
    tests("Corpus", ["Model", "Corpus"]),
    tests(
      "Impact", ["Model", "Analyse", "Corpus", "Impact"],
      resources: [.copy("gate-floors.json"), .copy("kept-verdicts.json")]),
    tests(
      "Query",
      [
        "Model", "Access", "Graph", "Markers", "Impact", "Query",
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdTesting", package: "hummingbird"), logging,
      ]),
    tests(
      "Outgoing",
      [
        "Model", "Markers", "Outgoing", .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "CryptoExtras", package: "swift-crypto"),
      ] + nio),
    tests(
      "CommandLine",
      ["Access", "Commands", "Gateway", "Graph", "Journal", "Model", "OTLP", logging]),
    tests(
      "Gateway",
      [
        "Model", "Access", "Graph", "Impact", "Markers", "OTLP", "Outgoing", "Query", "Receive",
        "Store", "Gateway", logging, .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "CryptoExtras", package: "swift-crypto"),
      ]
        + nio),
  ]
)
