import Foundation
import Model

@testable import Graph

/// Builds a window by hand, with the names its keys need.
struct GraphFixture {
  var window = Window()
  var names: [NameID: Name] = [:]
  var tenant = TenantID.standard

  static let start: Nanos = 1_790_000_000 * .second
  static let end: Nanos = start + 10 * .second

  var input: GraphInput {
    GraphInput(
      window: window, names: names, start: GraphFixture.start, end: GraphFixture.end, revision: 7)
  }

  mutating func node(
    _ name: String, namespace: String = "", environment: String = "",
    kind: NameKind = .service
  ) -> NameID {
    let identity = NodeIdentity(environment: environment, namespace: namespace, name: name)
    return add(Name(tenant: tenant, kind: kind, text: identity.text))
  }

  mutating func part(_ kind: NameKind, of service: NameID, _ text: String) -> NameID {
    add(Name(tenant: tenant, kind: kind, scope: service, text: text))
  }

  private mutating func add(_ name: Name) -> NameID {
    names[name.id] = name
    return name.id
  }

  /// Adds one finding with whole, unsampled counts.
  mutating func add(
    _ key: SeriesKey, _ counts: [Counters.Field: Int64] = [:], latency: Nanos? = nil,
    clientLatency: Nanos? = nil, ownTime: Nanos? = nil, whole: Nanos? = nil,
    exemplar: TraceID? = nil
  ) {
    var counters = Counters()
    for (field, count) in counts {
      counters[field] = GraphFixture.adjusted.contains(field) ? count * 256 : count
    }
    window.add(
      Finding(
        window: GraphFixture.start, key: key, counters: counters, latency: latency,
        clientLatency: clientLatency, ownTime: ownTime, whole: whole,
        exemplar: exemplar))
  }

  private static let adjusted: Set<Counters.Field> = [
    .requestsAdjusted, .errorsAdjusted, .errorOriginsAdjusted, .propagatedAdjusted,
    .absorbedAdjusted,
  ]

  /// A call, with so many requests and failures.
  mutating func call(
    _ client: NameID, _ server: NameID, _ type: ConnectionType = .direct, requests: Int64 = 1,
    failed: Int64 = 0
  ) {
    add(
      .edge(client, server, type), [.requestsAdjusted: requests, .errorsAdjusted: failed],
      latency: 10 * .millisecond, clientLatency: 12 * .millisecond, ownTime: 2 * .millisecond)
  }

  func graph(_ options: GraphOptions = GraphOptions()) throws -> ServiceGraph {
    try GraphBuilder.build(input, tenant: tenant, options: options)
  }
}

/// A shop: frontend → checkout → orders (database), and a queue between checkout and mail.
struct Shop {
  var fixture = GraphFixture()
  let frontend: NameID
  let checkout: NameID
  let mail: NameID
  let orders: NameID
  let queue: NameID

  init() {
    frontend = fixture.node("frontend", namespace: "shop")
    checkout = fixture.node("checkout", namespace: "shop")
    mail = fixture.node("mail")
    orders = fixture.node("orders", kind: .database)
    queue = fixture.node("receipts", kind: .messaging)
    fixture.add(
      .node(frontend),
      [.requestsAdjusted: 100, .requests: 100, .traces: 90, .criticalPathNanos: 300],
      latency: 50 * .millisecond, ownTime: 5 * .millisecond)
    fixture.add(
      .node(checkout),
      [
        .requestsAdjusted: 80, .errorsAdjusted: 8, .errorOriginsAdjusted: 3, .traces: 70,
        .errorTraces: 6, .criticalPathNanos: 100,
      ], latency: 40 * .millisecond, ownTime: 20 * .millisecond,
      exemplar: TraceID(high: 1, low: 2))
    fixture.add(
      .edge(frontend, checkout, .direct),
      [
        .requestsAdjusted: 80, .errorsAdjusted: 8, .propagatedAdjusted: 6, .absorbedAdjusted: 2,
        .criticalPathNanos: 40,
      ], latency: 40 * .millisecond, clientLatency: 44 * .millisecond,
      ownTime: 4 * .millisecond, exemplar: TraceID(high: 1, low: 2))
    fixture.add(.coverage(.standard), [.criticalPathNanos: 400])
    fixture.call(checkout, orders, .database)
    fixture.call(checkout, queue, .messagingSystem)
    fixture.call(queue, mail, .messagingSystem)
  }
}

extension JSONText {
  /// Read back by somebody else's parser.
  func parsed() throws -> [String: Any] {
    let value = try JSONSerialization.jsonObject(with: Data(bytes))
    return value as? [String: Any] ?? [:]
  }
}
