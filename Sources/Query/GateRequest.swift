public import Model

/// A question to the gate, as it was asked.
public struct GateRequest: Equatable, Sendable {
  /// When a verdict is wanted by.
  public enum Deadline: Equatable, Sendable {
    /// Unix nanoseconds.
    case at(Nanos)
    /// Nanoseconds after the change began.
    case after(Nanos)
  }

  public var tenant: TenantID
  /// A name or an id; nil where the marker says it.
  public var service: String?
  /// `""` for none; nil for any.
  public var namespace: String?
  public var environment: String?
  /// nil for the one deployed last.
  public var version: String?
  /// As it was written; it need not be the id of anything.
  public var marker: String?
  public var deadline: Deadline?
  /// 0…100.
  public var minHealth: Double?
  /// The error rate that is safe without a baseline, 0…1; nil for what was set up.
  public var errorsTolerated: Double?

  public init(
    tenant: TenantID = .standard, service: String? = nil, namespace: String? = nil,
    environment: String? = nil, version: String? = nil, marker: String? = nil,
    deadline: Deadline? = nil, minHealth: Double? = nil,
    errorsTolerated: Double? = nil
  ) {
    self.tenant = tenant
    self.service = service
    self.namespace = namespace
    self.environment = environment
    self.version = version
    self.marker = marker
    self.deadline = deadline
    self.minHealth = minHealth
    self.errorsTolerated = errorsTolerated
  }
}
