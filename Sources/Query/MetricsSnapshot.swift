public import Model

/// What `/metrics` shows at one moment.
public struct MetricsSnapshot: Sendable {
  /// The `.edge` series of all traces sealed since the process began: they only ever grow.
  public var edges: Window
  /// Of these series, calls that can be looked at.
  public var exemplars: [SeriesKey: EdgeExemplars]
  /// The names those series refer to.
  public var names: [NameID: Name]
  /// The gateway's own.
  public var metrics: [Metric]

  public init(
    edges: Window = Window(), exemplars: [SeriesKey: EdgeExemplars] = [:],
    names: [NameID: Name] = [:], metrics: [Metric] = []
  ) {
    self.edges = edges
    self.exemplars = exemplars
    self.names = names
    self.metrics = metrics
  }
}

/// One metric of the gateway's own, as Prometheus reads it.
public struct Metric: Sendable, Equatable {
  public enum Kind: String, Sendable {
    case counter, gauge
  }

  public struct Sample: Sendable, Equatable {
    public var labels: [String: String]
    public var value: Double

    public init(_ value: Double, labels: [String: String] = [:]) {
      self.labels = labels
      self.value = value
    }
  }

  /// In full: `spangate_spans_received_total`.
  public var name: String
  /// One sentence, without a line break.
  public var help: String
  public var kind: Kind
  public var samples: [Sample]

  public init(_ name: String, _ kind: Kind, help: String, samples: [Sample]) {
    self.name = name
    self.help = help
    self.kind = kind
    self.samples = samples
  }

  /// A metric of one sample without labels.
  public init(_ name: String, _ kind: Kind, help: String, value: Double) {
    self.init(name, kind, help: help, samples: [Sample(value)])
  }
}
