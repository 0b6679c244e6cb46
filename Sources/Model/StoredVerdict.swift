/// The id of a kept verdict: a hash of what it is about and when it was first given. Users read it
/// as `vd_` and 16 hexadecimal digits.
public struct VerdictID: Hashable, Sendable {
  public var raw: UInt64

  public init(_ raw: UInt64) { self.raw = raw }

  public static let prefix = "vd_"

  /// Reads what `description` writes; nil for anything else.
  public init?(_ text: String) {
    guard text.hasPrefix(VerdictID.prefix) else { return nil }
    let digits = Array(text.utf8.dropFirst(VerdictID.prefix.utf8.count))
    guard digits.count == 16, let raw = UInt64(hexadecimalDigits: digits[...]) else { return nil }
    self.init(raw)
  }

  /// - Parameter since: where the data ended when the verdict was first given.
  public init(_ rollout: RolloutID, verdict: String, since: Nanos) {
    var writer = ByteWriter()
    writer.write(fixed: rollout.raw)
    writer.write(text: verdict)
    writer.write(varint: since)
    var hash = SipHash(key0: 0x7665_7264, key1: 0x6963_7473)
    raw = hash.finish(over: writer.bytes.span)
  }
}

extension VerdictID: CustomStringConvertible {
  public var description: String { VerdictID.prefix + raw.hexadecimal }
}

/// What verdicts are about: one version of one service. When it began, and the marker that tells of
/// it, are not part of it: a span that comes late may move the one, an announcement replaces the
/// other.
public struct RolloutID: Hashable, Sendable {
  public var raw: UInt64

  public init(_ raw: UInt64) { self.raw = raw }

  /// - Parameter service: the id of the service, as the graph shows it.
  public init(tenant: TenantID, service: String, environment: String, version: String) {
    var writer = ByteWriter()
    for text in [service, environment, version] { writer.write(text: text) }
    var hash = SipHash(key0: UInt64(tenant.raw), key1: 0x726f_6c6c_6f75_7473)
    raw = hash.finish(over: writer.bytes.span)
  }
}

/// A verdict as it was given, with what it was based on. Of the same verdict given again and again
/// about one rollout there is one, with the latest data.
public struct StoredVerdict: Equatable, Sendable {
  public var id: VerdictID
  public var tenant: TenantID
  public var rollout: RolloutID
  /// As users read it: `namespace/name`.
  public var service: String
  public var version: String
  /// `promote`, `wait`, `rollback`.
  public var verdict: String
  /// Where the data ended when it was first given, and when it was last; Unix nanoseconds.
  public var since: Nanos
  public var until: Nanos
  /// What it was based on, in the serial form of `GateReport`.
  public var report: [UInt8]
  /// The answer as it was given, JSON.
  public var answer: [UInt8]

  public init(
    id: VerdictID, tenant: TenantID, rollout: RolloutID, service: String, version: String,
    verdict: String, since: Nanos, until: Nanos, report: [UInt8], answer: [UInt8]
  ) {
    self.id = id
    self.tenant = tenant
    self.rollout = rollout
    self.service = service
    self.version = version
    self.verdict = verdict
    self.since = since
    self.until = until
    self.report = report
    self.answer = answer
  }
}

/// Which verdicts to show.
public struct VerdictFilter: Equatable, Sendable {
  public var tenant: TenantID
  /// Those given over data that ended in [start, end); Unix nanoseconds.
  public var start: Nanos
  public var end: Nanos
  /// A name or an id.
  public var service: String?
  public var version: String?
  /// At most so many, the newest.
  public var countMax: Int

  public init(
    tenant: TenantID = .standard, start: Nanos = 0, end: Nanos = .max, service: String? = nil,
    version: String? = nil, countMax: Int = 100
  ) {
    self.tenant = tenant
    self.start = start
    self.end = end
    self.service = service
    self.version = version
    self.countMax = countMax
  }
}
