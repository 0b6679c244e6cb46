/// One explanation of what became of a service since a change, and how likely it is beside the others.
public struct Hypothesis: Equatable, Sendable {
  public enum Kind: String, Sendable, CaseIterable {
    /// The change asked about.
    case thisDeployment = "this_deployment"
    /// Another change of the service that began at about the same time.
    case otherChange = "other_change"
    /// More requests.
    case load
    /// Instances that came or went.
    case scaling
    /// Something the service calls.
    case dependency
    /// What all services have in common.
    case platform
    /// Other operations are asked for.
    case operationMix = "operation_mix"
    /// Nothing happened.
    case noise
  }

  public let kind: Kind
  /// 0…1; those of one answer sum to 1.
  public let probability: Double
  /// What speaks for it and against it; none where nothing is known that does.
  public let terms: [Term]
  /// Who or what it would be: a version, another change, a service, an operation; nil where nobody knows.
  public var name: String?
  /// Who calls what `name` says, where it is a service that is called.
  public var caller: String?
  /// The change it would be, where it is another one.
  public var marker: Circumstances.Change?

  /// One piece of evidence.
  public struct Term: Equatable, Sendable {
    public let name: Name
    /// Natural logarithm of the odds it adds; within ±`Hypothesis.termMax`.
    public let logOdds: Double
    /// For a person.
    public let why: String

    init(_ name: Name, _ logOdds: Double, _ why: String) {
      self.name = name
      self.logOdds =
        logOdds.isNaN ? 0 : min(max(logOdds, -Hypothesis.termMax), Hypothesis.termMax)
      self.why = why
    }
  }

  public enum Name: String, Sendable, CaseIterable {
    /// How likely it is before anything was seen.
    case prior
    /// Whether anything got worse at all.
    case effect
    /// The new version beside the old one, and the old one against itself before the change.
    case versionSplit = "version_split"
    /// When it began.
    case onset
    /// Services the change cannot have touched.
    case controls
    /// How many requests came in.
    case load
    /// What else is known to have changed.
    case markers
    /// Where it began: here, at what is called, everywhere.
    case topology
    /// Whether it grows with the share of requests the new version gets.
    case dose
    /// Whether it stays when what may have caused it is gone, or goes by itself.
    case persistence
    /// Whether it goes when a change is taken back.
    case recovery
    /// How many instances there are.
    case scaling
    /// How much of it other operations being asked for explain.
    case operationMix = "operation_mix"
  }

  /// No term decides alone: odds of a hundred to one (the natural logarithm of 100).
  public static let termMax = 4.6
}
