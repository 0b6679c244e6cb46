import Model
import Testing

@testable import Impact

/// What single pieces of circumstances count for.
@Suite struct CircumstanceSignsTests {
  private let start = Sample.start

  private func term(
    _ kind: Hypothesis.Kind, _ name: Hypothesis.Name, _ known: Circumstances, isWorse: Bool = true,
    dose: Dose? = nil
  ) throws -> Hypothesis.Term {
    let signs = CircumstanceSigns(known, start: start, isWorse: isWorse, dose: dose)
    return try #require(signs.terms.first { $0.0 == kind && $0.1.name == name }?.1)
  }

  private func change(
    _ place: Circumstances.Place, _ service: String = "stock", time: Nanos, undone: Nanos? = nil
  ) -> Circumstances.Change {
    Circumstances.Change(
      marker: MarkerID(time), kind: .deployment, service: service, version: "v7", place: place,
      time: time, undone: undone)
  }

  private func moment(_ from: Int64, _ to: Int64, ended: Int64? = nil) -> Circumstances.Moment {
    func time(_ minutes: Int64) -> Nanos { Nanos(Int64(start) + minutes * Int64(Nanos.minute)) }
    return Circumstances.Moment(
      earliest: time(from), latest: time(to), ended: ended.map { time($0) })
  }

  /// Scenario: nothing is known of anything.
  /// Guarantees: every piece of evidence is there and says so, and counts nothing; but that no other
  /// change is known counts against one.
  @Test func nothingKnown() {
    let terms = CircumstanceSigns(Circumstances(), start: start, isWorse: true, dose: nil).terms
    let own = terms.filter { $0.0 == .thisDeployment }.map(\.1.name)
    #expect(own == [.onset, .topology, .dose, .persistence, .recovery])
    for (kind, term) in terms {
      #expect(!term.why.isEmpty)
      let isMissingChange = kind == .otherChange && term.name == .markers
      #expect(isMissingChange ? term.logOdds < 0 : term.logOdds == 0, "\(kind) \(term)")
    }
  }

  /// Scenario: it got worse when the change began, before it, a little and long after it.
  /// Guarantees: for the change, against it, less for it the longer after.
  @Test func onset() throws {
    func odds(_ from: Int64, _ to: Int64) throws -> Double {
      try term(.thisDeployment, .onset, Circumstances(onset: moment(from, to))).logOdds
    }
    #expect(try odds(-1, 1) == AttributionWeights.weak)
    #expect(try odds(-9, -3) == -AttributionWeights.strong)
    #expect(try odds(5, 6) > odds(20, 21))
    #expect(try odds(20, 21) < 0 && odds(600, 601) == -AttributionWeights.strong)
  }

  /// Scenario: it began here, at what is called, half and half.
  /// Guarantees: the shares count for and against; a change of what is called takes the place of its
  /// being the dependency's own doing, and is named, before others.
  @Test func topology() throws {
    let below = Circumstances.Cause(
      kind: .selfTime, place: .below, service: "stock", caller: "checkout", share: 1)
    let known = Circumstances(
      changes: [change(.below, "mail", time: start), change(.below, time: start - .minute)],
      causes: [below])
    #expect(try term(.thisDeployment, .topology, known).logOdds == -AttributionWeights.strong)
    #expect(try term(.dependency, .topology, known).logOdds == AttributionWeights.strong)
    #expect(try term(.dependency, .markers, known).logOdds == -AttributionWeights.strong)
    #expect(try term(.otherChange, .topology, known).logOdds == AttributionWeights.strong)
    let signs = CircumstanceSigns(known, start: start, isWorse: true, dose: nil)
    #expect(signs.otherChange?.service == "stock" && signs.dependency == below)
    let halves = [Circumstances.Place.own, .below].map {
      Circumstances.Cause(kind: .errors, place: $0, service: "x", caller: "", share: 0.5)
    }
    let even = Circumstances(causes: halves)
    #expect(try term(.thisDeployment, .topology, even).logOdds == 0)
    #expect(try term(.platform, .topology, even).logOdds == -AttributionWeights.strong)
  }

  /// Scenario: requests rise and go back; it goes with them, stays, or goes by itself.
  /// Guarantees: for the load where it goes with the requests, against it where it stays; against the
  /// change where it goes by itself while the change stands.
  @Test func persistence() throws {
    func known(ended: Int64?) -> Circumstances {
      Circumstances(onset: moment(0, 1, ended: ended), surge: moment(0, 1, ended: 6))
    }
    #expect(try term(.load, .persistence, known(ended: 6)).logOdds == AttributionWeights.strong)
    #expect(try term(.load, .persistence, known(ended: nil)).logOdds == -AttributionWeights.strong)
    #expect(try term(.load, .onset, known(ended: nil)).logOdds > 0)
    #expect(try term(.thisDeployment, .persistence, known(ended: nil)).logOdds > 0)
    #expect(try term(.thisDeployment, .persistence, known(ended: 6)).logOdds < 0)
    let apart = Circumstances(onset: moment(0, 1), surge: moment(8, 9))
    #expect(try term(.load, .onset, apart).logOdds < 0)
  }

  /// Scenario: the change, or another one, is taken back; it goes with that, or stays.
  /// Guarantees: for whichever was taken back where it goes, against it where it stays; going with the
  /// change is not going by itself.
  @Test func recovery() throws {
    let undone = start + 6 * .minute
    var known = Circumstances(onset: moment(0, 1, ended: 7), undone: undone)
    #expect(try term(.thisDeployment, .recovery, known).logOdds == AttributionWeights.strong)
    #expect(try term(.thisDeployment, .persistence, known).logOdds == 0)
    known.onset?.ended = nil
    #expect(try term(.thisDeployment, .recovery, known).logOdds == -AttributionWeights.strong)
    known.changes = [change(.own, "checkout", time: start, undone: undone)]
    #expect(try term(.otherChange, .recovery, known).logOdds == -AttributionWeights.strong)
    known.onset?.ended = undone + .minute
    #expect(try term(.otherChange, .recovery, known).logOdds == AttributionWeights.strong)
  }

  /// Scenario: instances as many as before, fewer, announced; operations that explain all, nothing.
  /// Guarantees: for and against scaling and the mix; nothing for scaling while nothing got worse.
  @Test func sizeAndMix() throws {
    var known = Circumstances(instances: .init(before: 4, now: 4))
    #expect(try term(.scaling, .scaling, known).logOdds == -AttributionWeights.strong)
    known.instances = .init(before: 4, now: 3)
    #expect(try term(.scaling, .scaling, known).logOdds == AttributionWeights.strong)
    #expect(try term(.scaling, .scaling, known, isWorse: false).logOdds == 0)
    known.mix = .init(name: "POST /order", amount: 1)
    #expect(try term(.operationMix, .operationMix, known).logOdds == AttributionWeights.strong)
    #expect(try term(.thisDeployment, .topology, known).logOdds < 0)
    known.mix?.amount = 0
    #expect(try term(.operationMix, .operationMix, known).logOdds == -AttributionWeights.strong)
  }

  private func windows(slower: Double, share: (Int) -> Double) -> [ComparedWindow] {
    (0..<90).map { index in
      let wander = 0.01 * Double((index * 7919) % 13 - 6) / 6
      let new = Int64((500 * share(index)).rounded())
      return ComparedWindow(
        start: Sample.time(index),
        current: Side(
          traces: new, errorTraces: 0,
          latency: LogLatency(weight: Double(new), mean: 17 + wander + slower, variance: 0.1)),
        baseline: Side(
          traces: 500 - new, errorTraces: 0,
          latency: LogLatency(weight: Double(500 - new), mean: 17 + wander, variance: 0.1)))
    }
  }

  /// Scenario: a version gets more and more of the requests and is slower, or is not; or always the same
  /// share.
  /// Guarantees: a dose that counts for the change; one that counts against it where something got worse;
  /// none where the share stays.
  @Test func dose() throws {
    let rising = { (index: Int) in 0.05 + 0.01 * Double(index / 2) }
    let harm = try #require(Dose(windows(slower: 0.2, share: rising)))
    #expect(harm.deviation > CauseSearch.deviationMin && harm.least < 0.12 && harm.most > 0.4)
    #expect(
      try term(.thisDeployment, .dose, Circumstances(), dose: harm).logOdds
        > AttributionWeights.weak)
    let none = try #require(Dose(windows(slower: 0, share: rising)))
    #expect(none.deviation < CauseSearch.deviationMin)
    #expect(try term(.thisDeployment, .dose, Circumstances(), dose: none).logOdds <= 0)
    #expect(Dose(windows(slower: 0.2) { _ in 0.1 }) == nil)
    #expect(Dose([]) == nil)
  }
}
