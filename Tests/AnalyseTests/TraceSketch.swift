import Model

@testable import Analyse

/// A trace written down for a test. Times are milliseconds after a fixed moment.
struct TraceSketch {
  static let epoch: Nanos = 1_700_000_000 * .second
  static let key = TraceKey(tenant: .standard, trace: TraceID(high: 7, low: 11))

  var spans: [SpanRecord] = []
  var names: [NameID: String] = [:]

  mutating func name(_ text: String, _ kind: NameKind = .service) -> NameID {
    let id = Name(tenant: .standard, kind: kind, text: text).id
    names[id] = text
    return id
  }

  /// Adds a span; its id is its number, counted from 1.
  @discardableResult
  mutating func span(
    _ service: String, _ kind: SpanKind, under parent: SpanID = .none, _ from: Nanos = 0,
    _ until: Nanos = 10, traits: SpanTraits = [], peer: String? = nil,
    peerKind: NameKind = .external, version: String? = nil, instance: String? = nil,
    operation: String = "work", weight: UInt32 = SpanRecord.weightOne, links: UInt16 = 0,
    host: UInt32 = 0
  ) -> SpanID {
    let id = SpanID(UInt64(spans.count + 1))
    spans.append(
      SpanRecord(
        id: id, parent: parent, start: TraceSketch.time(from), end: TraceSketch.time(until),
        service: name(service), version: version.map { name($0, .version) } ?? .none,
        instance: instance.map { name($0, .instance) } ?? .none,
        operation: name(operation, .operation), peer: peer.map { name($0, peerKind) } ?? .none,
        weight: weight, kind: kind, traits: traits, links: links, host: host))
    return id
  }

  static func time(_ milliseconds: Nanos) -> Nanos { epoch + milliseconds * .millisecond }

  func analysed(clockSkewNanosMax: Nanos = 0) -> Outcome {
    var analyser = TraceAnalyser(clockSkewNanosMax: clockSkewNanosMax)
    var findings: [Finding] = []
    analyser.analyse(spans, key: TraceSketch.key, into: &findings)
    return Outcome(findings, names: names)
  }
}

/// What findings add up to, readable: "a 3/1" for three requests of which one failed.
struct Outcome {
  let sums: WindowSums
  let window: Window
  let names: [NameID: String]

  init(_ findings: [Finding], names: [NameID: String]) {
    var sums = WindowSums()
    sums.add(findings)
    self.sums = sums
    window = sums.merged(from: 0, to: .max)
    self.names = names
  }

  /// Nodes with requests.
  var nodes: [String] {
    described { key in
      key.kind == .node ? text(key.first) : nil
    }
  }

  var edges: [String] {
    described { key in
      guard key.kind == .edge else { return nil }
      let label = ConnectionType(rawValue: UInt8(key.third))?.label ?? "?"
      return "\(text(key.first))→\(text(key.second))" + (label.isEmpty ? "" : " \(label)")
    }
  }

  /// Nodes at which errors began, with their adjusted count in whole errors.
  var origins: [String] {
    window.series.compactMap { key, sums in
      let count = sums.counters[.errorOriginsAdjusted]
      return key.kind == .node && count != 0 ? "\(text(key.first)) \(count / 256)" : nil
    }.sorted()
  }

  /// Reasons for which spans made no edge that might have made one.
  var unpaired: [String] {
    reasons.filter { !$0.key.isStandalone }.map { "\($0.key.label) \($0.value)" }.sorted()
  }

  /// Reasons for which spans need no partner.
  var standalone: [String] {
    reasons.filter(\.key.isStandalone).map { "\($0.key.label) \($0.value)" }.sorted()
  }

  /// Spans that are ends of edges and lack no partner.
  var paired: Int64 { window.series[.paired(.standard)]?.counters[.requests] ?? 0 }

  var reasons: [UnpairedReason: Int64] {
    var reasons: [UnpairedReason: Int64] = [:]
    for (key, sums) in window.series where key.kind == .unpaired {
      UnpairedReason(rawValue: UInt8(key.second)).map { reasons[$0] = sums.counters[.requests] }
    }
    return reasons
  }

  /// Spans as paired, and by the reasons why they are not: of each all are counted once.
  var spansByPartner: Int64 {
    reasons.reduce(paired) { $0 + ($1.key.isOfSpan ? $1.value : 0) }
  }

  /// The name's hash is looked up by its text: kinds do not overlap in tests.
  private func id(_ name: String) -> NameID? { names.first { $0.value == name }?.key }

  func node(_ name: String) -> Sums { id(name).flatMap { window.series[.node($0)] } ?? Sums() }

  func edge(_ client: String, _ server: String, _ type: ConnectionType = .direct) -> Sums {
    guard let client = id(client), let server = id(server) else { return Sums() }
    return window.series[.edge(client, server, type)] ?? Sums()
  }

  func wait(_ client: String, _ server: String) -> Sums {
    guard let client = id(client), let server = id(server) else { return Sums() }
    return window.series[.wait(client, for: server)] ?? Sums()
  }

  func version(_ service: String, _ version: String) -> Sums {
    guard let service = id(service), let version = id(version) else { return Sums() }
    return window.series[.version(service, version)] ?? Sums()
  }

  func operation(_ service: String, _ operation: String) -> Sums {
    guard let service = id(service), let operation = id(operation) else { return Sums() }
    return window.series[.operation(service, operation)] ?? Sums()
  }

  var coverage: Counters { window.series[.coverage(.standard)]?.counters ?? Counters() }

  private func text(_ raw: UInt64) -> String { names[NameID(raw)] ?? "?" }

  private func described(_ text: (SeriesKey) -> String?) -> [String] {
    window.series.compactMap { key, sums in
      guard let text = text(key), sums.counters[.requests] != 0 else { return nil }
      return "\(text) \(sums.counters[.requests])/\(sums.counters[.errors])"
    }.sorted()
  }
}

extension Histogram {
  /// The histogram of these durations, milliseconds.
  static func of(_ milliseconds: Nanos..., weight: Int64 = 256) -> Histogram {
    var histogram = Histogram()
    for value in milliseconds { histogram.add(value * .millisecond, weight: weight) }
    return histogram
  }
}
