import Foundation
import Model

/// The shop's traces, in the order of their requests.
///
/// Work takes log-normally long. How many customers come, and how long everything takes, wanders
/// over minutes by a tenth, the same for all: a gate that compared before and after would take that
/// for an effect.
struct Shop {
  private var random: Random
  private let rollout: Nanos
  private let end: Nanos
  private var now: Nanos
  private var spans: [Span] = []
  private var trace = TraceID(high: 0, low: 0)

  /// Deviation of the logarithm of how long work takes.
  private static let spread = 0.3
  private static let network = 0.4

  init(random: Random, start: Nanos, rollout: Nanos, end: Nanos) {
    self.random = random
    self.rollout = rollout
    self.end = end
    now = start
  }

  /// All spans of the next request of a customer; nil at the end of history.
  mutating func nextTrace() -> [Span]? {
    let rate = Operation.entries.reduce(0) { $0 + $1.rate }
    now += nanos(seconds: random.interval(rate: rate * wander(minutes: 17)))
    guard now < end else { return nil }
    var ticket = random.share() * rate
    var operation = Operation.entries[0].operation
    for entry in Operation.entries {
      operation = entry.operation
      ticket -= entry.rate
      if ticket <= 0 { break }
    }
    spans.removeAll(keepingCapacity: true)
    trace = TraceID(high: random.identity(), low: random.identity())
    _ = serve(operation, as: .server, at: now, parent: .none)
    // What the newest traces still do lies in the future, which is not written down yet.
    return spans.allSatisfy { $0.end <= end } ? spans : nextTrace()
  }

  /// A request to a service: its span, and all that it leads to.
  private mutating func serve(
    _ operation: Operation, as kind: Span.Kind, at start: Nanos, parent: SpanID,
    attributes: [(String, String)] = []
  ) -> (end: Nanos, failed: Bool) {
    let (version, resource) = pick(operation.service)
    let id = SpanID(random.identity())
    var failed = random.isTrue(withChance: version.failureRate)
    let work = duration(operation.milliseconds * version.slowness)
    // Half of the work before the first step, half after the last.
    var clock = start + work / 2
    for step in operation.steps where !failed {
      let result = take(step, at: clock, as: resource, parent: id)
      clock = result.end
      failed = result.failed
    }
    let end = clock + work - work / 2
    var attributes = attributes
    if kind == .server { attributes.append(status(failed)) }
    spans.append(
      Span(
        resource: resource, trace: trace, id: id, parent: parent, name: operation.name, kind: kind,
        start: start, end: end, failed: failed, attributes: attributes))
    return (end, failed)
  }

  private mutating func take(
    _ step: Operation.Step, at start: Nanos, as resource: Resource, parent: SpanID
  ) -> (end: Nanos, failed: Bool) {
    var span = Span(
      resource: resource, trace: trace, id: SpanID(random.identity()), parent: parent, name: "",
      kind: .client, start: start, end: start, failed: false, attributes: [])
    switch step {
    case .call(let operation):
      let answer = serve(
        operation, as: .server, at: start + duration(Shop.network), parent: span.id)
      span.name = operation.name
      span.end = answer.end + duration(Shop.network)
      span.failed = answer.failed
      span.attributes = [status(answer.failed)]
    case .query(let system, let database, let statement, let milliseconds):
      span.name = statement
      span.end = start + duration(milliseconds)
      span.attributes = [("db.system.name", system), ("db.namespace", database)]
    case .publish(let queue, let consumer):
      span.name = "\(queue) send"
      span.kind = .producer
      span.end = start + duration(2)
      span.attributes = [("messaging.system", "kafka"), ("messaging.destination.name", queue)]
      _ = serve(
        consumer, as: .consumer, at: span.end + duration(80), parent: span.id,
        attributes: span.attributes)
    }
    spans.append(span)
    return (span.end, span.failed)
  }

  private mutating func pick(_ service: String) -> (Version, Resource) {
    let versions = Version.all[service, default: []]
    var version = versions[0]
    if now >= rollout, versions.count > 1, random.isTrue(withChance: versions[1].share) {
      version = versions[1]
    }
    let instance = random.index(below: version.instances)
    return (version, Resource(service: service, version: version.name, instance: instance))
  }

  private func status(_ failed: Bool) -> (key: String, value: String) {
    ("http.response.status_code", failed ? "500" : "200")
  }

  private mutating func duration(_ milliseconds: Double) -> Nanos {
    let factor = exp(random.normal() * Shop.spread) * wander(minutes: 11)
    return nanos(seconds: milliseconds / 1e3 * factor)
  }

  private func nanos(seconds: Double) -> Nanos { Nanos(seconds * 1e9) }

  /// About 1: a slow wave, and a faster one on top.
  private func wander(minutes: Double) -> Double {
    let time = Double(now / .second) / 60
    return 1 + 0.07 * sin(2 * .pi * time / minutes) + 0.03 * sin(2 * .pi * time / (minutes / 5))
  }
}
