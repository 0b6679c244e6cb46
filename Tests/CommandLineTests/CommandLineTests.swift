import Gateway
import Synchronization
import Testing

@testable import Commands

@Suite struct CommandLineTests {
  /// Scenario: help, the version in each form, and no arguments at all.
  /// Guarantees: they go to standard output with exit code 0.
  @Test func helpAndVersion() async {
    for arguments in [["--help"], ["help", "serve"], ["serve", "-h"], ["--version"], []] {
      let world = FakeWorld()
      let code = await run(world, arguments)
      #expect(code == 0)
      #expect(!world.output.isEmpty)
      #expect(world.errors.isEmpty)
    }
    let world = FakeWorld()
    #expect(await world.run("version") == 0)
    #expect(await world.run("version", "--format", "json") == 0)
    #expect(world.output == "spangate 0.1.0\n{\"version\":\"0.1.0\"}\n")
  }

  private func run(_ world: FakeWorld, _ arguments: [String]) async -> Int32 {
    switch arguments.count {
    case 0: await world.run()
    case 1: await world.run(arguments[0])
    default: await world.run(arguments[0], arguments[1])
    }
  }

  /// Scenario: a misspelt command, with an option the root once had too.
  /// Guarantees: 64; never 0, which a pipeline would read as a promotion.
  @Test func misspeltCommands() async {
    let world = FakeWorld()
    #expect(await world.run("gaet", "--service", "checkout", "--version", "v42") == 64)
    #expect(
      world.errors == "spangate: there is no command 'gaet'; did you mean 'gate'? "
        + "spangate --help lists those there are\n")
  }

  /// Scenario: command lines that cannot be meant.
  /// Guarantees: exit code 64 and a text on standard error, nothing on standard output.
  @Test(arguments: [
    ("bananas", ""), ("serve", "--bananas"), ("graph", "--depth=x"), ("graph", "--depth=-1"),
    ("graph", "--depth=2"), ("analyze", ""), ("analyze", "--rule=crisp"), ("replay", "file"),
    ("graph", "--server=ftp://x"), ("journal", "bananas"), ("config", "bananas"),
  ])
  func usageErrors(command: String, argument: String) async {
    let world = FakeWorld()
    let code = argument.isEmpty ? await world.run(command) : await world.run(command, argument)
    #expect(code == 64)
    #expect(!world.errors.isEmpty)
    #expect(world.output.isEmpty)
  }
}

@Suite struct ConfigCommandTests {
  /// Scenario: the configuration is printed in each format.
  /// Guarantees: every key is there with its value and where it came from.
  @Test func print() async throws {
    for format in ["yaml", "table", "json"] {
      let world = FakeWorld()
      let code = await world.run(
        "config", "print", "--format", format, "--set", "traces.idle=5s", "--workers=2",
        environment: ["SPANGATE_LOG__LEVEL": "debug"])
      #expect(code == 0)
      for text in ["5s", "flag --workers", "environment SPANGATE_LOG__LEVEL", "debug", "default"] {
        #expect(world.output.contains(text))
      }
      if format != "yaml" {
        for key in ConfigurationKey.all { #expect(world.output.contains(key.path)) }
      }
    }
  }

  /// Scenario: validation of a good and of a bad configuration, for people and for programs.
  /// Guarantees: 0 and `valid`, or 64 and all problems at once.
  @Test func validate() async throws {
    let world = FakeWorld()
    #expect(await world.run("config", "validate") == 0)
    #expect(await world.run("config", "validate", "--format", "json") == 0)
    #expect(world.output == "valid\n{\"valid\":true,\"problems\":[]}\n")
    let bad = FakeWorld()
    let code = await bad.run(
      "config", "validate", "--set", "traces.idel=5s", "--set", "nothing", "--memory", "much")
    #expect(code == 64)
    #expect(bad.output.isEmpty)
    #expect(bad.errors.contains("flag --set: nothing: has no value; write --set key=value\n"))
    #expect(bad.errors.contains("did you mean traces.idle?\n"))
    #expect(bad.errors.contains("flag --memory: limits.memory: 'much' is not an amount of bytes"))
    let json = FakeWorld()
    let jsonCode = await json.run(
      "config", "validate", "--format=json", environment: ["SPANGATE_WORKERS": "x"])
    #expect(jsonCode == 64)
    #expect(json.output.hasPrefix("{\"valid\":false,\"problems\":[{\"place\":\"environment"))
    #expect(json.errors.isEmpty)
  }

  /// Scenario: each main key by the flag of its own, beside another value by `--set`.
  /// Guarantees: every flag the documentation names exists, and wins.
  @Test(arguments: ConfigurationKey.all.filter { $0.flag != nil }.map(\.path))
  func namedFlags(path: String) async throws {
    let key = try #require(ConfigurationKey.at(path))
    let flag = try #require(key.flag)
    let value = key.type == "address" ? "10.1.2.3:99" : Self.values[flag] ?? "?"
    let world = FakeWorld()
    let code = await world.run(
      "config", "print", "--format", "json", "--\(flag)", value, "--set",
      "\(path)=\(key.defaultText)")
    #expect(code == 0, "\(world.errors)")
    #expect(
      world.output.contains("\"\(path)\":{\"value\":\"\(value)\",\"from\":\"flag --\(flag)\"}"))
  }

  private static let values = [
    "store": "elsewhere", "retention": "30d", "memory": "1GiB", "durability": "none",
    "log-format": "json", "log-level": "error", "workers": "7",
  ]

  /// Scenario: a file is named.
  /// Guarantees: its values are used, and its problems carry its name and line.
  @Test func file() async throws {
    try await withFolder { folder in
      let path = folder + "/gateway.yaml"
      try write("workers: 5\nlog:\n  lebel: info\n".utf8, to: path)
      let world = FakeWorld()
      #expect(await world.run("config", "validate", "--config", path) == 64)
      #expect(
        world.errors.contains("\(path):3: log.lebel: is no known key; did you mean log.level?"))
    }
  }
}

@Suite struct ServeCommandTests {
  /// Scenario: a gateway starts, gets SIGTERM and drains.
  /// Guarantees: it is configured as asked, tells where it listens and what to paste, exit code 0.
  @Test func lifeOfAGateway() async {
    let world = FakeWorld()
    let code = await world.run("serve", "--workers", "3", "--log-level", "critical")
    #expect(code == 0)
    #expect(world.configuration?.workers == 3)
    #expect(
      world.output == """
        otlp/grpc 0.0.0.0:4317
        otlp/http 127.0.0.1:4318
        query [::]:4320
        Paste into an exporter's environment:
          OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4317

        """)
  }

  /// Scenario: a gateway with a certificate is told twice to read its files again, and then to stop.
  /// Guarantees: it reads them twice, goes on until it is told to stop, and names an endpoint with https.
  @Test func filesAreReadAgain() async {
    let world = FakeWorld()
    let count = Atomic(0)
    var gateway = FakeGateway()
    gateway.isSecure = true
    gateway.reloaded = { count.add(1, ordering: .relaxed) }
    world.serve(gateway)
    world.signal(.reload, .reload)
    #expect(await world.run("serve", "--log-level", "critical") == 0)
    #expect(count.load(ordering: .relaxed) == 2)
    #expect(world.output.contains("OTEL_EXPORTER_OTLP_ENDPOINT=https://127.0.0.1:4317\n"))
  }

  /// Scenario: wrong configuration, a port in use, a drain that fails.
  /// Guarantees: 64 before anything starts, 70 otherwise, each with the reason.
  @Test func failures() async {
    let world = FakeWorld()
    #expect(await world.run("serve", "--workers", "many") == 64)
    #expect(world.configuration == nil)
    #expect(world.errors.hasPrefix("spangate: the configuration has problems:\nflag --workers"))
    let busy = FakeWorld()
    busy.serve(FakeGateway(startFailure: "port 4317 is in use"))
    #expect(await busy.run("serve", "--log-level", "critical") == 70)
    #expect(busy.errors == "spangate: cannot start: port 4317 is in use\n")
    #expect(busy.output.isEmpty)
    let full = FakeWorld()
    full.serve(FakeGateway(stopFailure: "the disk is full"))
    #expect(await full.run("serve", "--log-level", "critical") == 70)
    #expect(full.errors == "spangate: did not stop cleanly: the disk is full\n")
  }
}
