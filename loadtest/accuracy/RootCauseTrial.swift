import Analyse
import Corpus
import Impact
import Model

/// One case of the corpus, run through the analysis, and what the ranking made of it.
struct RootCauseTrial {
  var name: String
  /// 0 for the first; nil when the truth is not in the list.
  var rank: Int?
  /// How much of all scores the first cause has; nil where nothing was found.
  var confidence: Double?
  var found: [String]

  /// The kind of fault, as the name of the case has it.
  var kind: String { String(name.split(separator: "/")[1]) }
  /// The truth is first; of a healthy system, nothing was found.
  var isRight: Bool { rank == 0 || (kind == "healthy" && found.isEmpty) }

  static let start: Nanos = 1_700_000_000 * .second / .minute * .minute
  private static let windowSeconds = 10.0

  init(_ corpusCase: CorpusCase) {
    name = corpusCase.name
    var simulator = Simulator(
      corpusCase.system, faults: corpusCase.faults, load: corpusCase.load,
      start: RootCauseTrial.start, seed: corpusCase.seed)
    var sums = WindowSums()
    var analyser = TraceAnalyser()
    var findings: [Finding] = []
    simulator.run(until: CorpusCase.end + 30) { trace in
      findings.removeAll(keepingCapacity: true)
      analyser.analyse(
        trace.spans, key: TraceKey(tenant: .standard, trace: trace.id), into: &findings)
      sums.add(findings)
    }
    let causes = RootCauses(
      base: RootCauseTrial.windows(sums, CorpusCase.settled, CorpusCase.onset),
      current: RootCauseTrial.windows(sums, CorpusCase.onset, CorpusCase.end),
      seconds: RootCauseTrial.windowSeconds
    ).causes
    let names = simulator.names.all
    func text(_ id: NameID) -> String {
      names[id].map { NodeIdentity(text: $0.text).name } ?? "-"
    }
    confidence = causes.first?.confidence
    found = causes.map { "\($0.kind.rawValue) \(text($0.node))" }
    rank = causes.firstIndex { cause in
      switch corpusCase.truth {
      case .service(let service): text(cause.node) == corpusCase.system.services[service].name
      case .load: cause.kind == .load
      case .platform: cause.kind == .platform
      case .nothing: false
      }
    }
  }

  private static func windows(_ sums: WindowSums, _ from: Double, _ to: Double) -> [Window] {
    stride(from: from, to: to, by: windowSeconds).map {
      sums.windows[start + Nanos($0) * .second] ?? Window()
    }
  }
}
