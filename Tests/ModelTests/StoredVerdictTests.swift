import Testing

@testable import Model

@Suite struct StoredVerdictTests {
  private let rollout = RolloutID(
    tenant: .standard, service: "shop/checkout", environment: "prod", version: "v42")

  /// Scenario: ids of verdicts as text and back; texts that are none.
  /// Guarantees: what is written is read; nothing else is, whatever its length and letters.
  @Test func idAsText() throws {
    for raw in [0, 1, UInt64.max, 0x0123_4567_89ab_cdef] {
      let id = VerdictID(raw)
      #expect("\(id)".hasPrefix("vd_") && "\(id)".utf8.count == 19)
      #expect(VerdictID("\(id)") == id)
    }
    for text in [
      "", "vd_", "vd_0", "mk_0123456789abcdef", "vd_0123456789abcde", "vd_0123456789abcdef0",
      "vd_0123456789abcdeg", "vd_０123456789abcdef", " vd_0123456789abcdef", "vd_+123456789abcdef",
    ] { #expect(VerdictID(text) == nil, "\(text)") }
  }

  /// Scenario: rollouts and verdicts that differ in one thing; texts that run into each other.
  /// Guarantees: each has an id of its own, and always the same: ids are on disks.
  @Test func idsTellApart() {
    let rollouts = [
      rollout,
      RolloutID(
        tenant: TenantID(1), service: "shop/checkout", environment: "prod", version: "v42"),
      RolloutID(tenant: .standard, service: "shop/checkou", environment: "tprod", version: "v42"),
      RolloutID(tenant: .standard, service: "shop/checkout", environment: "prodv", version: "42"),
      RolloutID(tenant: .standard, service: "", environment: "", version: ""),
    ]
    #expect(Set(rollouts).count == rollouts.count)
    let verdicts = [
      VerdictID(rollout, verdict: "wait", since: 1), VerdictID(rollout, verdict: "wait", since: 2),
      VerdictID(rollout, verdict: "promote", since: 1),
      VerdictID(rollouts[1], verdict: "wait", since: 1),
    ]
    #expect(Set(verdicts).count == verdicts.count)
    #expect(verdicts[0] == VerdictID(rollout, verdict: "wait", since: 1))
  }
}
