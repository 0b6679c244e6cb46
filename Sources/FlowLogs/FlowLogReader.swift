public import Model

/// Which times records may bear.
public struct FlowLogLimits: Sendable, Equatable {
  /// Records that ended longer ago than this are rejected one by one.
  public var retentionNanos: Nanos
  /// The same for records that end further ahead of the clock.
  public var aheadNanosMax: Nanos

  public init(retentionNanos: Nanos, aheadNanosMax: Nanos = 10 * .minute) {
    self.retentionNanos = retentionNanos
    self.aheadNanosMax = aheadNanosMax
  }
}

/// What became of the lines of a flow log, besides those that became records.
public struct FlowLogSummary: Sendable, Equatable {
  /// A line that was left out.
  public struct Rejection: Sendable, Equatable {
    /// From 1.
    public var line: Int
    public var message: String

    public init(line: Int, message: String) {
      self.line = line
      self.message = message
    }
  }

  /// Why lines are left out, as they are counted.
  public enum Reason: String, Sendable, CaseIterable {
    /// An address, or a port, that there cannot be.
    case impossibleAddress = "impossible_address"
    case impossiblePort = "impossible_port"
    /// Its end is before the retention, or in the future.
    case outOfTime = "out_of_time"
    /// It ends before it starts.
    case endBeforeStart = "end_before_start"
    /// One end has an address of IPv4 and the other one of IPv6.
    case mixedFamilies = "mixed_address_families"
    /// More bytes than there can be, or than its packets can hold.
    case impossibleCount = "impossible_count"
    /// Words and numbers nobody gave a meaning.
    case unknownAction = "unknown_action"
    case unknownStatus = "unknown_log_status"
    case unknownProtocol = "unknown_protocol"
    case unknownVersion = "unknown_version"
    /// It cannot be read otherwise.
    case malformed
  }

  /// Why good lines become no record, as they are counted.
  public enum Skip: String, Sendable, CaseIterable {
    /// Nothing passed in the interval.
    case noData = "no_data"
    /// Not all that passed was recorded.
    case skippedData = "skipped_data"
    /// The flow was not let through: it is no traffic.
    case rejectedFlow = "rejected_flow"
    /// It does not say between whom.
    case noAddress = "no_address"
  }

  /// Lines that tell of no traffic.
  public var skipped = 0
  /// The same by reason.
  public var skips: [Skip: Int] = [:]
  public var rejectedLines = 0
  /// The same by reason.
  public var reasons: [Reason: Int] = [:]
  /// The first of them.
  public var rejected: [Rejection] = []

  /// How many rejected lines are told one by one.
  public static let rejectedShownMax = 20

  public init() {}

  mutating func skip(_ reason: Skip) {
    skipped += 1
    skips[reason, default: 0] += 1
  }

  mutating func reject(_ line: Int, _ reason: String, _ kind: Reason = .malformed) {
    rejectedLines += 1
    reasons[kind, default: 0] += 1
    guard rejected.count < FlowLogSummary.rejectedShownMax else { return }
    rejected.append(Rejection(line: line, message: "line \(line) \(reason)"))
  }
}

/// Reads a flow log line by line: the default format of version 2, or the one that a line of names
/// states; such a line may come again, where several logs were joined.
/// - Shape: `nextBatch` until it is nil, then `summary`.
/// - Cost: O(bytes); a name costs one look into the name table for each batch.
public struct FlowLogReader: Sendable {
  private let body: [UInt8]
  private let names: NameTable
  private let tenant: TenantID
  private let environment: String
  private let limits: FlowLogLimits
  private let now: Nanos
  private var position = 0
  private var line = 0
  private var format = FlowLogFormat.standard
  /// How often each record was read, so that equal lines are told apart.
  private var counts: [TraceID: UInt64] = [:]
  public private(set) var summary = FlowLogSummary()

  /// Records of one batch: a batch must fit a shard's mailbox, and reading one must not take long.
  public static let recordsPerBatchMax = 5_000
  /// No line is longer; of all fields there are, the longest is well below.
  static let lineBytesMax = 4096

  /// - Parameter environment: of the nodes the addresses are; empty for none.
  public init(
    _ body: [UInt8], environment: String, names: NameTable, tenant: TenantID,
    limits: FlowLogLimits, now: Nanos
  ) {
    self.body = body
    self.environment = environment
    self.names = names
    self.tenant = tenant
    self.limits = limits
    self.now = now
  }

  /// The records of the next lines; nil at the end.
  public mutating func nextBatch() -> SpanBatch? {
    var batch = NamedBatch(tenant: tenant, environment: environment, names: names, now: now)
    while batch.batch.count < FlowLogReader.recordsPerBatchMax, let text = nextLine() {
      read(text, into: &batch)
    }
    return batch.finish(&counts)
  }

  /// Without its line feed; nil at the end.
  private mutating func nextLine() -> ArraySlice<UInt8>? {
    guard position < body.count else { return nil }
    line += 1
    let end = body[position...].firstIndex(of: UInt8(ascii: "\n")) ?? body.count
    defer { position = end + 1 }
    return body[position..<end]
  }

  private mutating func read(_ text: ArraySlice<UInt8>, into batch: inout NamedBatch) {
    guard text.count <= FlowLogReader.lineBytesMax else {
      return summary.reject(line, "is longer than \(FlowLogReader.lineBytesMax) bytes")
    }
    let fields = text.split { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
    if fields.isEmpty { return }
    if let stated = FlowLogFormat(header: fields) {
      if let missing = stated.missing {
        summary.reject(
          line, "names the fields of the lines below, and \(missing) is not among them")
      }
      format = stated
      return
    }
    if format.missing != nil {
      return summary.reject(line, "is of a format that says too little")
    }
    do throws(FlowLogLine.Malformed) {
      switch try FlowLogLine(fields, format) {
      case .skipped(let reason): summary.skip(reason)
      case .record(let record):
        if let reason = reasonAgainst(end: record.end) {
          return summary.reject(line, reason, .outOfTime)
        }
        batch.append(record, fields)
      }
    } catch {
      summary.reject(line, error.reason, error.kind)
    }
  }

  private func reasonAgainst(end: Nanos) -> String? {
    if end < now.saturatingSubtracting(limits.retentionNanos) {
      return "ended before the retention (raise store.retention to replay history)"
    }
    return end > now.saturatingAdding(limits.aheadNanosMax) ? "ends in the future" : nil
  }
}
