import GRDB
import Model
import TestSupport
import Testing

@testable import Store

@Suite struct VerdictStoreTests {
  private let directory: TemporaryDirectory
  private let store: TileStore

  init() throws {
    directory = try TemporaryDirectory()
    store = try TileStore(path: directory.path)
  }

  private func verdict(
    _ verdict: String = "wait", until: Nanos = epoch, service: String = "shop/checkout",
    version: String = "v42", tenant: TenantID = .standard, report: [UInt8] = [1],
    answer: [UInt8] = [2]
  ) -> StoredVerdict {
    let rollout = RolloutID(tenant: tenant, service: service, environment: "", version: version)
    return StoredVerdict(
      id: VerdictID(rollout, verdict: verdict, since: until), tenant: tenant, rollout: rollout,
      service: service, version: version, verdict: verdict, since: until, until: until,
      report: report, answer: answer)
  }

  private func all() throws -> [StoredVerdict] {
    try store.verdicts(VerdictFilter(countMax: 10_000))
  }

  /// Scenario: a verdict is kept, and found by its id, by another tenant's question, and by an id
  /// nobody has.
  /// Guarantees: every field is as it was given, also the emptiest and the largest; only its tenant
  /// sees it.
  @Test func readsWhatWasKept() throws {
    let plain = verdict()
    let odd = StoredVerdict(
      id: VerdictID(.max), tenant: TenantID(.max), rollout: RolloutID(.max), service: "",
      version: "v\u{1}é\"", verdict: "promote", since: 0, until: Nanos(Int64.max),
      report: [], answer: [UInt8](0...255))
    for kept in [plain, odd] {
      #expect(try store.keep(kept) == kept.id)
      #expect(try store.verdict(kept.id, tenant: kept.tenant) == kept)
      #expect(try store.verdict(kept.id, tenant: TenantID(5)) == nil)
    }
    #expect(try store.verdict(VerdictID(7), tenant: .standard) == nil)
    #expect(try all() == [plain])
  }

  /// Scenario: the same verdict about the same rollout: with the same data, with more data, and with
  /// data that ends earlier.
  /// Guarantees: one row under one id; when it was first given stays, where the data ends moves.
  @Test func sameVerdictAgain() throws {
    let first = verdict()
    #expect(try store.keep(first) == first.id)
    #expect(try store.keep(first) == first.id)
    #expect(try all() == [first])
    let later = verdict(until: epoch + .minute, report: [3], answer: [4])
    #expect(later.id != first.id)
    #expect(try store.keep(later) == first.id)
    var expected = later
    expected.id = first.id
    expected.since = first.since
    #expect(try all() == [expected])
    // Windows finish, whatever a clock does; but should it go back before the beginning, the two
    // are not one.
    #expect(try store.keep(verdict(until: epoch + 10 * .second, report: [5])) == first.id)
    #expect(try all().map(\.since) == [epoch])
    let earlier = verdict(until: epoch - .minute)
    #expect(try store.keep(earlier) == earlier.id)
    #expect(try all().count == 2 && all().allSatisfy { $0.since <= $0.until })
  }

  /// Scenario: wait, promote, and wait again; another version meanwhile.
  /// Guarantees: three rows of the one rollout, newest first; the other's is apart.
  @Test func changesOfMind() throws {
    var ids: [VerdictID] = []
    for (index, word) in ["wait", "promote", "wait", "wait"].enumerated() {
      let until = epoch + Nanos(index) * .minute
      let report = [UInt8(index)]
      ids.append(try store.keep(verdict(word, until: until, report: report)))
      _ = try store.keep(verdict(until: until, version: "v43", report: report))
    }
    #expect(Set(ids).count == 3 && ids[2] == ids[3] && ids[0] != ids[2])
    let rows = try store.verdicts(VerdictFilter(version: "v42"))
    #expect(rows.map(\.verdict) == ["wait", "promote", "wait"])
    #expect(rows.map(\.id) == [ids[3], ids[1], ids[0]])
    #expect(rows[0].since == epoch + 2 * .minute && rows[0].until == epoch + 3 * .minute)
    #expect(try store.verdicts(VerdictFilter(version: "v43")).count == 1)
  }

  /// Scenario: more verdicts than are kept, of one rollout.
  /// Guarantees: the oldest make room; other rollouts keep theirs.
  @Test func limitOfARollout() throws {
    _ = try store.keep(verdict(until: epoch - .hour, version: "v41"))
    let count = TileStore.verdictsOfRolloutMax + 5
    for index in 0..<count {
      let word = index.isMultiple(of: 2) ? "wait" : "promote"
      _ = try store.keep(verdict(word, until: epoch + Nanos(index) * windowNanos))
    }
    let kept = try store.verdicts(VerdictFilter(version: "v42", countMax: 1_000))
    #expect(kept.count == TileStore.verdictsOfRolloutMax)
    #expect(kept.first?.until == epoch + Nanos(count - 1) * windowNanos)
    #expect(kept.last?.until == epoch + 5 * windowNanos)
    #expect(try store.verdicts(VerdictFilter(version: "v41")).count == 1)
  }

  /// Scenario: more verdicts than are kept in all, of many rollouts.
  /// Guarantees: the oldest make room.
  @Test func limitOfAll() throws {
    let countMax = TileStore.verdictsMax
    try store.pool.write { db in
      for index in 0..<countMax {
        try VerdictRows.write(
          db, verdict(until: epoch + Nanos(index) * .second, version: "v\(index)"))
      }
    }
    _ = try store.keep(verdict(until: epoch + .day, version: "newest"))
    #expect(try store.count("verdicts") == countMax)
    #expect(try all().last?.version == "v1")
    #expect(try all().first?.version == "newest")
  }

  /// Scenario: the list is asked for by range, service, version, and count; services whose names
  /// hold what a pattern would take for a sign, or differ in case.
  /// Guarantees: exactly those; a name finds the service in every namespace, an id the one.
  @Test func filters() throws {
    let services = [
      "shop/checkout", "pay/checkout", "checkout", "shop/check_out", "shop/Checkout", "a%t",
      "deep/shop/checkout",
    ]
    for (index, service) in services.enumerated() {
      _ = try store.keep(verdict(until: epoch + Nanos(index) * .minute, service: service))
    }
    func found(_ service: String) throws -> Set<String> {
      Set(try store.verdicts(VerdictFilter(service: service)).map(\.service))
    }
    #expect(
      try found("checkout")
        == ["shop/checkout", "pay/checkout", "checkout", "deep/shop/checkout"])
    #expect(try found("Checkout") == ["shop/Checkout"])
    #expect(try found("pay/checkout") == ["pay/checkout"])
    #expect(try found("check_out") == ["shop/check_out"])
    #expect(try found("a%t") == ["a%t"])
    for odd in ["%", "_", "%checkout", "\\", "'", "", "/", "checkou", "heckout", "\u{0}"] {
      #expect(try found(odd).isEmpty, "\(odd)")
    }
    let range = try store.verdicts(
      VerdictFilter(start: epoch + .minute, end: epoch + 3 * .minute))
    #expect(range.map(\.service) == ["checkout", "pay/checkout"])
    #expect(try store.verdicts(VerdictFilter(countMax: 2)).count == 2)
    #expect(try store.verdicts(VerdictFilter(countMax: 0)).isEmpty)
    #expect(try store.verdicts(VerdictFilter(countMax: -1)).isEmpty)
    #expect(try store.verdicts(VerdictFilter(tenant: TenantID(1))).isEmpty)
    #expect(try store.verdicts(VerdictFilter(version: "v41")).isEmpty)
  }

  /// Scenario: deadlines are asked for, named, named again, and outlived by a new start.
  /// Guarantees: the first that is named stays; one before the start belongs to an earlier rollout
  /// and is replaced.
  @Test func deadlines() throws {
    let rollout = verdict().rollout
    func deadline(_ wanted: Nanos?, since start: Nanos = epoch) throws -> Nanos? {
      try store.deadline(of: rollout, since: start, tenant: .standard, wanted: wanted)
    }
    #expect(try deadline(nil) == nil)
    #expect(try deadline(epoch + .hour) == epoch + .hour)
    #expect(try deadline(epoch + 2 * .hour) == epoch + .hour)
    #expect(try deadline(nil) == epoch + .hour)
    #expect(try deadline(nil, since: epoch + .day) == nil)
    #expect(try deadline(epoch + 2 * .day, since: epoch + .day) == epoch + 2 * .day)
    #expect(try deadline(nil, since: epoch + .day) == epoch + 2 * .day)
    let other = RolloutID(tenant: .standard, service: "a", environment: "", version: "b")
    #expect(
      try store.deadline(of: other, since: .max, tenant: .standard, wanted: .max) == .max)
    #expect(try store.deadline(of: other, since: 0, tenant: .standard, wanted: nil) != nil)
    #expect(try store.count("rollouts") == 2)
  }

  /// Scenario: deadlines are named with what was known then, named again, and without.
  /// Guarantees: what was known when the first was named stays; nil where nobody said so, and where
  /// there is no deadline since the start.
  @Test func whatWasKnownWhenADeadlineWasNamed() throws {
    let rollout = verdict().rollout
    func name(_ wanted: Nanos, since start: Nanos, knowing: Nanos?) throws -> Nanos? {
      _ = try store.deadline(
        of: rollout, since: start, tenant: .standard, wanted: wanted, knownUntil: knowing)
      return try store.deadlineKnownUntil(of: rollout, since: start)
    }
    #expect(try store.deadlineKnownUntil(of: rollout, since: epoch) == nil)
    #expect(try name(epoch + .hour, since: epoch, knowing: epoch + 9) == epoch + 9)
    #expect(try name(epoch + 2 * .hour, since: epoch, knowing: epoch + 99) == epoch + 9)
    #expect(try store.deadlineKnownUntil(of: rollout, since: epoch + .day) == nil)
    #expect(try name(epoch + 2 * .day, since: epoch + .day, knowing: nil) == nil)
  }

  /// Scenario: verdicts and deadlines grow old, one deadline of a rollout whose verdict does not.
  /// Guarantees: what ended before the retention goes; what still stands keeps its deadline.
  @Test func expiry() throws {
    let old = verdict(until: epoch, version: "v1")
    let young = verdict(until: epoch + 10 * .day, version: "v2")
    for kept in [old, young] {
      _ = try store.keep(kept)
      _ = try store.deadline(
        of: kept.rollout, since: 0, tenant: .standard, wanted: epoch + .minute)
    }
    try store.deleteExpired(now: epoch + 14 * .day, retention: 14 * .day)
    #expect(try all().count == 2)
    try store.deleteExpired(now: epoch + 14 * .day + .hour, retention: 14 * .day)
    #expect(try all() == [young])
    #expect(
      try store.deadline(of: old.rollout, since: 0, tenant: .standard, wanted: nil) == nil)
    #expect(
      try store.deadline(of: young.rollout, since: 0, tenant: .standard, wanted: nil)
        == epoch + .minute)
    try store.deleteExpired(now: epoch + 40 * .day, retention: 14 * .day)
    #expect(try store.count("verdicts") == 0 && store.count("rollouts") == 0)
  }

  /// Scenario: the store is closed and opened again.
  /// Guarantees: verdicts and deadlines are still there.
  @Test func reopening() throws {
    let kept = verdict()
    _ = try store.keep(kept)
    _ = try store.deadline(of: kept.rollout, since: 0, tenant: .standard, wanted: 5)
    try store.close()
    let again = try TileStore(path: directory.path)
    #expect(try again.verdict(kept.id, tenant: .standard) == kept)
    #expect(
      try again.deadline(of: kept.rollout, since: 0, tenant: .standard, wanted: nil) == 5)
  }

  /// Scenario: a row is damaged: its tenant is none.
  /// Guarantees: an error, not a trap.
  @Test func damage() throws {
    let kept = verdict()
    _ = try store.keep(kept)
    try store.pool.write { try $0.execute(sql: "UPDATE verdicts SET tenant = -1") }
    #expect(throws: StoreError.self) { try store.keep(verdict(until: epoch + .minute)) }
  }
}
