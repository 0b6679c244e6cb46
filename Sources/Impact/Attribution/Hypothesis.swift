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
  }

  /// No term decides alone: odds of a hundred to one (the natural logarithm of 100).
  public static let termMax = 4.6
}
