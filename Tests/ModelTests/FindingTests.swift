import Model
import TestSupport
import Testing

@Suite struct FindingTests {
  /// Scenario: the keys of series, made by their named constructors.
  /// Guarantees: all differ, and refer to the names they were made from.
  @Test func keysAndTheirNames() {
    let a = NameID(1)
    let b = NameID(2)
    let c = NameID(3)
    let keys: [(SeriesKey, [NameID])] = [
      (.node(a), [a]), (.version(a, b), [a, b]), (.instance(a, b, version: c), [a, b, c]),
      (.operation(a, b), [a, b]), (.edge(a, b, .direct), [a, b]),
      (.edge(a, b, .database), [a, b]), (.edge(b, a, .direct), [b, a]),
      (.unpaired(TenantID(1), .clientWithoutPeer), []), (.coverage(TenantID(1)), []),
      (.skewOverLimit(TenantID(1)), []), (.paired(TenantID(1)), []),
      (.traffic(from: a, to: b, TrafficKind(.accessLog, recordedBy: .client)), [a, b]),
      (.traffic(from: a, to: b, TrafficKind(.flowLog, recordedBy: .client)), [a, b]),
      (.overflow(TenantID(1), .service), []),
      (.overflow(TenantID(1), part: SeriesKey.overflowPathsPart), []),
      (.overflow(TenantID(1), part: SeriesKey.overflowCallsPart), []),
      (.location(of: a, at: c), [a, c]), (.queueAlias(a, sentTo: b), [a, b]),
    ]
    #expect(Set(keys.map(\.0)).count == keys.count)
    for (key, names) in keys { #expect(key.names == names) }
  }

  /// Scenario: random keys are sorted.
  /// Guarantees: a strict order by kind, then by each part.
  @Test func keysAreOrdered() {
    var random = SeededGenerator()
    let keys = (0..<60).map { _ in
      SeriesKey(
        SeriesKind.allCases[random.below(7)], UInt64(random.below(2)), UInt64(random.below(2)),
        UInt64(random.below(2)))
    }
    for a in keys {
      for b in keys { #expect([a < b, b < a, a == b].count { $0 } == 1) }
    }
    let sorted = keys.sorted()
    for (a, b) in zip(sorted, sorted.dropFirst()) { #expect(a.kind.rawValue <= b.kind.rawValue) }
  }

  /// Scenario: the numbers and words that stores and queries show.
  /// Guarantees: they do not change silently.
  @Test func numbersAndLabels() {
    #expect(SeriesKind.allCases.map(\.rawValue) == Array(1...18))
    #expect(ConnectionType.allCases.map(\.rawValue) == [0, 1, 2, 3, 4])
    #expect(
      ConnectionType.allCases.map(\.label) == [
        "", "messaging_system", "database", "virtual_node", "link",
      ])
    #expect(UnpairedReason.allCases.map(\.rawValue) == Array(1...19))
    #expect(
      UnpairedReason.allCases.map(\.label) == [
        "client_without_peer", "own_application", "wraps_another_client", "parent_missing",
        "parent_cycle", "queue_not_named", "settles_messages", "traffic_without_peer",
        "link_target_missing", "link_adds_nothing", "link_not_read", "same_service",
        "entry_point", "background_work", "inner_work", "inner_request", "message_counted",
        "told_by_links", "transport",
      ])
    #expect(UnpairedReason.allCases.filter(\.isStandalone).map(\.rawValue) == Array(13...19))
    #expect(UnpairedReason.allCases.filter { !$0.isOfSpan }.map(\.rawValue) == Array(8...11))
    #expect(Counters.Field.allCases.map(\.rawValue) == Array(0..<16))
  }

  /// Scenario: counters are set, added and taken away, at the limits too.
  /// Guarantees: each field is its own; wrapping instead of trapping.
  @Test func counters() {
    var counters = Counters()
    #expect(counters.isZero)
    for field in Counters.Field.allCases { counters[field] = Int64(field.rawValue) + 1 }
    for field in Counters.Field.allCases { #expect(counters[field] == Int64(field.rawValue) + 1) }
    #expect(!counters.isZero)
    var sum = counters
    sum.merge(counters)
    #expect(sum[.late] == 24)
    sum.merge(counters, sign: -1)
    #expect(sum == counters)
    sum[.requests] = .max
    sum.merge(counters)
    sum.merge(counters, sign: -1)
    #expect(sum[.requests] == .max)
  }
}
