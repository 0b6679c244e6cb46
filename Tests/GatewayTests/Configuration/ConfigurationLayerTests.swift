import Markers
import Testing

@testable import Gateway

/// A value other than the default for every key, and how it is written back.
private let samples: [String: (text: String, canonical: String)] = {
  var samples = plainSamples
  for source in WebhookSource.allCases {
    samples["webhooks.\(source.configurationName).secret"] = ("s3cret", "set")
    samples["webhooks.\(source.configurationName).secret_file"] = ("/run/s", "/run/s")
  }
  for listener in ListenerName.allCases {
    for file in ["certificate_file", "key_file", "client_ca_file"] {
      samples["\(listener.tlsSection).\(file)"] = ("/run/\(file)", "/run/\(file)")
    }
  }
  return samples
}()

/// Keys that are refused unless these are given as well.
private let companions: [String: [String]] = {
  var companions: [String: [String]] = [:]
  for section in ListenerName.allCases.map(\.tlsSection) {
    companions["\(section).certificate_file"] = ["\(section).key_file"]
    companions["\(section).key_file"] = ["\(section).certificate_file"]
    companions["\(section).client_ca_file"] = [
      "\(section).certificate_file", "\(section).key_file",
    ]
  }
  return companions
}()

private let knownToken = "ci ingest+query sha256:" + String(repeating: "0a", count: 32)

private let plainSamples: [String: (text: String, canonical: String)] = [
  "receiver.grpc.address": ("0.0.0.0:14317", "0.0.0.0:14317"),
  "receiver.http.address": ("[::1]:14318", "[::1]:14318"),
  "receiver.wait": ("1500ms", "1s500ms"),
  "query.address": ("gateway.local:0", "gateway.local:0"),
  "store.path": ("/var/lib/span gate", "/var/lib/span gate"),
  "store.retention": ("36h", "1d12h"),
  "traces.idle": ("2.5s", "2s500ms"),
  "traces.max_age": ("1h", "1h"),
  "traces.remember": ("0", "0s"),
  "traces.clock_skew": ("250ms", "250ms"),
  "traces.critical_path": ("crisp", "crisp"),
  "failures.ignored_http_codes": ("404, 410-415", "404, 410-415"),
  "failures.ignored_grpc_codes": ("5,ALREADY_EXISTS", "NOT_FOUND, ALREADY_EXISTS"),
  "peers.attributes": ("my.peer, peer.service", "my.peer, peer.service"),
  "identity.dimensions": ("region,tier", "region, tier"),
  "redaction.query_keys": ("invite,Ticket", "invite, Ticket"),
  "limits.memory": ("2GiB", "2GiB"),
  "limits.request_bytes": ("1048576", "1MiB"),
  "limits.spans_per_trace": ("7", "7"),
  "limits.services": ("12", "12"),
  "limits.operations_per_service": ("13", "13"),
  "limits.exemplars_bytes": ("1MB", "1000000"),
  "metrics.series": ("14", "14"),
  "gate.errors_tolerated": ("0.02", "2%"),
  "tokens.file": ("/run/tokens", "/run/tokens"),
  "tokens.known": (knownToken, knownToken),
  "slo.services": (
    "shop/checkout latency_p99=0.3s error_rate=0.005, my shop latency_p95=20ms",
    "shop/checkout error_rate=0.5% latency_p99=300ms, my shop latency_p95=20ms"
  ),
  "github.api": ("https://git.example.com/api/v3/", "https://git.example.com/api/v3"),
  "github.app_id": ("Iv23.a-b", "Iv23.a-b"),
  "github.app_key_file": ("/run/app.pem", "/run/app.pem"),
  "github.review_wait": ("90m", "1h30m"),
  "github.review_undecided": ("approved", "approved"),
  "outgoing.private_addresses": ("allow", "allow"),
  "journal.durability": ("os", "os"),
  "log.format": ("json", "json"),
  "log.level": ("debug", "debug"),
  "shutdown.drain": ("1m30s", "1m30s"),
  "workers": ("3", "3"),
]

private func file(_ text: String) -> ConfigurationFile {
  ConfigurationFile(name: "gateway.yaml", contents: Array(text.utf8))
}

private func load(
  _ text: String = "", environment: [String: String] = [:], flags: [(String, String)] = []
) throws -> LoadedConfiguration {
  let settings = flags.map {
    ConfigurationSetting(path: $0.0, text: $0.1, origin: .flag("--set \($0.0)"))
  }
  return try ConfigurationSources(environment: environment, flags: settings).load(file: file(text))
}

private func nested(_ path: String, _ value: String) -> String {
  let parts = path.split(separator: ".")
  var text = ""
  for (depth, part) in parts.enumerated() {
    let indent = String(repeating: "  ", count: depth)
    text += depth == parts.count - 1 ? "\(indent)\(part): '\(value)'\n" : "\(indent)\(part):\n"
  }
  return text
}

@Suite struct ConfigurationLayerTests {
  /// Scenario: nothing is configured, by no file, an empty one, or one of comments only.
  /// Guarantees: the defaults of the public contract hold.
  @Test(arguments: ["", "\n\n", "# nothing here\n", "---\n", "traces:\nlimits:\n"])
  func defaults(text: String) throws {
    let loaded = try load(text)
    #expect(loaded.configuration == Configuration())
    let all = ConfigurationKey.all.map { ($0.path, $0.defaultText) }
    let defaults = Dictionary(
      uniqueKeysWithValues: all.filter { !$0.0.hasPrefix("webhooks.") && !$0.0.contains(".tls.") })
    #expect(all.filter { $0.0.hasPrefix("webhooks.") }.count == 2 * WebhookSource.allCases.count)
    let tls = all.filter { $0.0.contains(".tls.") }
    #expect(tls.count == 3 * ListenerName.allCases.count && tls.allSatisfy { $0.1.isEmpty })
    #expect(
      defaults == [
        "receiver.grpc.address": "127.0.0.1:4317", "receiver.http.address": "127.0.0.1:4318",
        "receiver.wait": "500ms", "query.address": "127.0.0.1:4320", "store.path": "data",
        "store.retention": "14d", "traces.idle": "11s", "traces.max_age": "1m",
        "traces.remember": "1m", "traces.clock_skew": "1s",
        "traces.critical_path": "wallclock",
        "failures.ignored_http_codes": "", "failures.ignored_grpc_codes": "",
        "peers.attributes": "", "identity.dimensions": "", "redaction.query_keys": "",
        "limits.memory": "auto",
        "limits.request_bytes": "64MiB",
        "limits.spans_per_trace": "100000", "limits.services": "10000",
        "limits.operations_per_service": "1000", "limits.exemplars_bytes": "64MiB",
        "metrics.series": "10000", "gate.errors_tolerated": "1%", "slo.services": "",
        "github.api": "https://api.github.com", "github.app_id": "", "github.app_key_file": "",
        "github.review_wait": "30m", "github.review_undecided": "rejected",
        "outgoing.private_addresses": "refuse",
        "tokens.file": "", "tokens.known": "",
        "journal.durability": "fsync",
        "log.format": "auto",
        "log.level": "info", "shutdown.drain": "10s", "workers": "0",
      ])
  }

  /// Scenario: one key is set in one layer, for each key and each layer.
  /// Guarantees: exactly that key changes, it reads back, and its origin is named.
  @Test(arguments: ConfigurationKey.all.map(\.path))
  func everyKeyFromEveryLayer(path: String) throws {
    let key = try #require(ConfigurationKey.at(path))
    let sample = try #require(samples[path])
    let needed = try companions[path, default: []].map { needed in
      (key: try #require(ConfigurationKey.at(needed)), text: try #require(samples[needed]).text)
    }
    let fromFile = try load(
      nested(path, sample.text) + needed.map { "\($0.key.path): \($0.text)\n" }.joined())
    let fromEnvironment = try load(
      environment: [key.variable: sample.text].merging(
        needed.map { ($0.key.variable, $0.text) }, uniquingKeysWith: { first, _ in first }))
    let flags = [(path, sample.text)] + needed.map { ($0.key.path, $0.text) }
    let given = Set(needed.map(\.key.path) + [path])
    // Everybody can read a command line.
    guard path != "tokens.known" else {
      let error = #expect(throws: ConfigurationError.self) { _ = try load(flags: flags) }
      #expect(error?.description.contains("is given on the command line") == true)
      #expect(key.text(fromFile.configuration) == sample.canonical)
      #expect(fromEnvironment.configuration == fromFile.configuration)
      return
    }
    let fromFlag = try load(flags: flags)
    for loaded in [fromFile, fromEnvironment, fromFlag] {
      #expect(key.text(loaded.configuration) == sample.canonical)
      for other in ConfigurationKey.all where !given.contains(other.path) {
        #expect(other.text(loaded.configuration) == other.defaultText)
        #expect(loaded.origin(of: other.path) == .standard)
      }
    }
    let line = path.split(separator: ".").count
    #expect(fromFile.origin(of: path).description == "gateway.yaml:\(line)")
    #expect(fromEnvironment.origin(of: path).description == "environment \(key.variable)")
    #expect(fromFlag.origin(of: path).description == "flag --set \(path)")
  }

  /// Scenario: the same key is set in all layers.
  /// Guarantees: flags win over the environment, that over the file; the last flag wins.
  @Test func precedence() throws {
    let text = "workers: 1\n"
    let environment = ["SPANGATE_WORKERS": "2"]
    #expect(try load(text).configuration.workers == 1)
    #expect(try load(text, environment: environment).configuration.workers == 2)
    #expect(
      try load(text, environment: environment, flags: [("workers", "3"), ("workers", "4")])
        .configuration.workers == 4)
  }

  /// Scenario: keys are written as dotted words, and an environment holds empty variables.
  /// Guarantees: both forms mean the same; an empty variable counts as not set.
  @Test func otherForms() throws {
    #expect(try load("traces.idle: 3s\n").configuration.traces.idle == 3_000_000_000)
    #expect(try load(environment: ["SPANGATE_WORKERS": ""]).configuration.workers == 0)
  }

  /// Scenario: a list as a YAML sequence of both styles, as text, empty, and taken back by a flag.
  /// Guarantees: all mean the same; it is printed as a list.
  @Test func lists() throws {
    let key = "failures.ignored_http_codes"
    for text in [
      "failures:\n  ignored_http_codes:\n    - 404\n    - 410-415\n",
      "failures: {ignored_http_codes: [404, '410-415']}\n",
      "failures:\n  ignored_http_codes: 404,410-415\n", "\(key): [404, 410-415]\n",
    ] {
      let loaded = try load(text)
      #expect(loaded.configuration.failures.ignoredHTTPCodes == [404...404, 410...415])
      #expect(loaded.yaml.contains("  ignored_http_codes: [404, 410-415]  # gateway.yaml:"))
      #expect(try load(text, flags: [(key, "")]).configuration == Configuration())
    }
    for text in ["\(key): []\n", "\(key): ''\n"] {
      #expect(try load(text).configuration == Configuration())
    }
    #expect(try load("").yaml.contains("  ignored_http_codes: []  # default"))
  }

  /// Scenario: the environment Kubernetes gives to pods beside a service called `spangate`.
  /// Guarantees: the gateway starts.
  @Test func kubernetesServiceLinks() throws {
    let environment = [
      "SPANGATE_PORT": "tcp://10.0.0.1:4317", "SPANGATE_SERVICE_HOST": "10.0.0.1",
      "SPANGATE_SERVICE_PORT_OTLP": "4317", "SPANGATE_PORT_4317_TCP_ADDR": "10.0.0.1",
      "SPANGATE_SERVER": "http://x", "SPANGATE_TOKEN": "t", "HOME": "/",
      "SPANGATE_CA_FILE": "/c", "SPANGATE_CERTIFICATE_FILE": "/c", "SPANGATE_KEY_FILE": "/k",
    ]
    #expect(try load(environment: environment).configuration == Configuration())
  }

  /// Scenario: a configuration is printed and read again.
  /// Guarantees: the result is the same, also for values YAML would read as something else.
  @Test(arguments: ["data", "a: b # c", "null", "-", "'\"\\", "/tmp/\u{7}x", "é/ü", "*", "true"])
  func printedFormReadsBack(path: String) throws {
    var flags = samples.map { ($0.key, $0.value.text) }.filter {
      !$0.0.hasSuffix(".secret") && $0.0 != "tokens.known"
    }
    flags.append(("store.path", path))
    let loaded = try load(flags: flags)
    let again = try load(loaded.yaml)
    #expect(again.configuration == loaded.configuration)
    #expect(loaded.yaml.contains("workers: 3  # flag --set workers"))
  }

  /// Scenario: a configuration with a secret is printed, described and read again; a secret is given
  /// twice.
  /// Guarantees: the secret is nowhere in it, only that it is set; the second is refused.
  @Test func secretsAreNotShown() throws {
    let loaded = try load(flags: [("webhooks.argo_rollouts.secret", "hunter2")])
    #expect(loaded.configuration.webhooks[.argoRollouts].secret == WebhookSecret("hunter2"))
    #expect(loaded.yaml.contains("# secret: set  # flag"))
    #expect(!loaded.yaml.contains("hunter2"))
    var dumped = "\(loaded) \(String(reflecting: loaded))"
    dump(loaded, to: &dumped)
    #expect(!dumped.contains("hunter2"))
    #expect(try load(loaded.yaml).configuration == Configuration())
    let error = #expect(throws: ConfigurationError.self) {
      _ = try load(flags: [
        ("webhooks.github.secret", "hunter2"), ("webhooks.github.secret_file", "/run/s"),
      ])
    }
    #expect(error?.description.contains("webhooks.github.secret") == true)
    #expect(error?.description.contains("hunter2") == false)
  }

  /// Scenario: the file is named by a flag, by the environment, by both.
  /// Guarantees: the flag wins; a file that is not there is an error that names it.
  @Test func fileIsNamedByFlagOrEnvironment() throws {
    let environment = ["SPANGATE_CONFIG": "/nonexistent/environment.yaml"]
    for (name, expected) in [(nil, "environment.yaml"), ("/nonexistent/flag.yaml", "flag.yaml")] {
      let error = #expect(throws: ConfigurationError.self) {
        _ = try ConfigurationSources(file: name, environment: environment).load()
      }
      #expect(error?.description.contains(expected) == true)
      #expect(error?.problems.count == 1)
    }
    #expect(
      try ConfigurationSources(environment: ["SPANGATE_CONFIG": ""]).load().configuration
        == Configuration())
  }
}
