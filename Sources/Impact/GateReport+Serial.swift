public import Model

// The serial form a verdict is kept in: whole numbers, and floating-point numbers by their bits, so
// that what is read back gives the same answer to the last digit.

extension GateReport {
  /// The form written. Form 1 was written before rules were told of, form 2 before circumstances were
  /// looked at; both can still be read.
  private static let version: UInt8 = 3

  public var bytes: [UInt8] {
    var writer = ByteWriter()
    writer.write(GateReport.version)
    writer.write(varint: UInt64(tenant.raw))
    for text in [
      subject.service, subject.environment, subject.version, subject.baseline, subject.rollbackTo,
    ] {
      writer.write(text: text)
    }
    writer.write(optional: subject.marker?.raw)
    writer.write(optional: subject.start)
    writer.write(optional: subject.until)
    writer.write(optional: subject.deadline)
    writer.write(varint: UInt64(remarks.count))
    for remark in remarks { writer.write(text: remark) }
    writer.write(question.concurrent == nil ? 0 : 1 as UInt8)
    question.concurrent?.write(to: &writer)
    writer.write(question.beforeAfter == nil ? 0 : 1 as UInt8)
    question.beforeAfter?.write(to: &writer)
    writer.write(question.circumstances == nil ? 0 : 1 as UInt8)
    question.circumstances?.write(to: &writer)
    return writer.bytes
  }

  /// - Errors: `MalformedBytes` for anything `bytes` did not write.
  public init(bytes: [UInt8]) throws(MalformedBytes) {
    var reader = ByteReader(bytes)
    let form = try reader.readByte()
    guard (1...GateReport.version).contains(form),
      let tenant = UInt32(exactly: try reader.readVarint())
    else { throw MalformedBytes() }
    var subject = Subject()
    subject.service = try reader.readText()
    subject.environment = try reader.readText()
    subject.version = try reader.readText()
    subject.baseline = try reader.readText()
    subject.rollbackTo = form == 1 ? "" : try reader.readText()
    subject.marker = try reader.readOptional().map { MarkerID($0) }
    subject.start = try reader.readOptional()
    subject.until = try reader.readOptional()
    subject.deadline = try reader.readOptional()
    var remarks: [String] = []
    for _ in 0..<(try reader.readCount()) { remarks.append(try reader.readText()) }
    var question = GateQuestion()
    if try reader.readByte() == 1 {
      question.concurrent = try ConcurrentQuestion(from: &reader, form: form)
    }
    if try reader.readByte() == 1 {
      question.beforeAfter = try BeforeAfterQuestion(from: &reader, form: form)
    }
    if form > 2, try reader.readByte() == 1 {
      question.circumstances = try Circumstances(from: &reader)
    }
    guard reader.isAtEnd else { throw MalformedBytes() }
    self.init(
      tenant: TenantID(tenant), subject: subject, question: question, remarks: remarks)
  }
}

extension ConcurrentQuestion {
  fileprivate func write(to writer: inout ByteWriter) {
    writer.write(text: version)
    writer.write(text: baseline)
    writer.write(varint: start)
    writer.write(varint: until)
    writer.write(optional: lastSeen)
    writer.write(settings)
    writer.write(varint: UInt64(windows.count))
    for window in windows {
      writer.write(varint: window.start)
      writer.write(varint: window.width)
      writer.write(window.current)
      writer.write(window.baseline)
      writer.write(varint: UInt64(window.unknownFailures))
      writer.write(window.isWarmingUp ? 1 : 0 as UInt8)
    }
    writer.write(history)
    writer.write(varint: UInt64(announced.count))
    for step in announced {
      writer.write(varint: step.from)
      writer.write(step.share == nil ? 0 : 1 as UInt8)
      if let share = step.share { writer.write(share) }
    }
    writer.write(optional: deadline?.time)
    if let deadline { writer.write(varint: deadline.fixedAt) }
  }

  fileprivate init(from reader: inout ByteReader, form: UInt8) throws(MalformedBytes) {
    let version = try reader.readText()
    let baseline = try reader.readText()
    let start = try reader.readVarint()
    let until = try reader.readVarint()
    let lastSeen = try reader.readOptional()
    let settings = try reader.readSettings(form: form)
    var windows: [ComparedWindow] = []
    for _ in 0..<(try reader.readCount()) {
      let start = try reader.readVarint()
      let width = try reader.readVarint()
      let current = try reader.readSide()
      let baseline = try reader.readSide()
      windows.append(
        ComparedWindow(
          start: start, width: width, current: current, baseline: baseline,
          unknownFailures: Int64(clamping: try reader.readVarint()),
          isWarmingUp: form == 1 ? false : try reader.readByte() == 1))
    }
    let history = try reader.readSides()
    var announced: [AnnouncedShare] = []
    var deadline: FixedDeadline?
    if form > 1 {
      for _ in 0..<(try reader.readCount()) {
        let from = try reader.readVarint()
        let share = try reader.readByte() == 1 ? try reader.readDouble() : nil
        announced.append(AnnouncedShare(from: from, share: share))
      }
      if let time = try reader.readOptional() {
        deadline = FixedDeadline(time: time, fixedAt: try reader.readVarint())
      }
    }
    self.init(
      version: version, baseline: baseline, start: start, until: until, windows: windows,
      history: history, lastSeen: lastSeen, announced: announced, deadline: deadline,
      settings: settings)
  }
}

extension BeforeAfterQuestion {
  fileprivate func write(to writer: inout ByteWriter) {
    writer.write(text: version)
    writer.write(varint: start)
    writer.write(varint: until)
    writer.write(settings)
    writer.write(varint: UInt64(unknownFailures))
    writer.write(varint: UInt64(otherChanges))
    writer.write(subject)
    writer.write(varint: UInt64(controls.count))
    for control in controls { writer.write(control) }
    writer.write(history)
  }

  fileprivate init(from reader: inout ByteReader, form: UInt8) throws(MalformedBytes) {
    let version = try reader.readText()
    let start = try reader.readVarint()
    let until = try reader.readVarint()
    let settings = try reader.readSettings(form: form)
    let unknownFailures = Int64(clamping: try reader.readVarint())
    let otherChanges = form == 1 ? 0 : Int(clamping: try reader.readVarint())
    let subject = try reader.readSeries()
    var controls: [StretchSeries] = []
    for _ in 0..<(try reader.readCount()) { controls.append(try reader.readSeries()) }
    self.init(
      version: version, start: start, until: until, subject: subject, controls: controls,
      history: try reader.readSides(), unknownFailures: unknownFailures,
      otherChanges: otherChanges, settings: settings)
  }
}

extension ByteWriter {
  mutating func write(_ value: Double) { write(fixed: value.bitPattern) }

  mutating func write(optional value: UInt64?) {
    write(value == nil ? 0 : 1 as UInt8)
    if let value { write(varint: value) }
  }

  fileprivate mutating func write(_ settings: GateSettings) {
    write(settings.errorsTolerated)
    write(settings.minHealth == nil ? 0 : 1 as UInt8)
    if let least = settings.minHealth { write(least) }
    write(settings.rules.rawValue)
  }

  fileprivate mutating func write(_ side: Side) {
    write(varint: UInt64(side.traces))
    write(varint: UInt64(side.errorTraces))
    write(varint: UInt64(side.unseenFailures))
    write(side.latency == nil ? 0 : 1 as UInt8)
    guard let latency = side.latency else { return }
    write(latency.weight)
    write(latency.sum)
    write(latency.squares)
  }

  fileprivate mutating func write(_ sides: [Side]) {
    write(varint: UInt64(sides.count))
    for side in sides { write(side) }
  }

  fileprivate mutating func write(_ stretch: Stretch) {
    write(stretch.before)
    write(stretch.after)
  }

  fileprivate mutating func write(_ series: StretchSeries) {
    write(series.now)
    write(varint: UInt64(series.earlier.count))
    for stretch in series.earlier {
      write(stretch == nil ? 0 : 1 as UInt8)
      if let stretch { write(stretch) }
    }
  }
}

extension ByteReader {
  mutating func readDouble() throws(MalformedBytes) -> Double {
    Double(bitPattern: try readFixed64())
  }

  mutating func readOptional() throws(MalformedBytes) -> UInt64? {
    try readByte() == 1 ? try readVarint() : nil
  }

  fileprivate mutating func readSettings(form: UInt8) throws(MalformedBytes) -> GateSettings {
    let tolerated = try readDouble()
    let minHealth = try readByte() == 1 ? try readDouble() : nil
    guard let rules = GateRules(rawValue: form == 1 ? 1 : try readByte()) else {
      throw MalformedBytes()
    }
    return GateSettings(errorsTolerated: tolerated, minHealth: minHealth, rules: rules)
  }

  fileprivate mutating func readSide() throws(MalformedBytes) -> Side {
    let traces = Int64(clamping: try readVarint())
    let errorTraces = Int64(clamping: try readVarint())
    let unseen = Int64(clamping: try readVarint())
    guard try readByte() == 1 else {
      return Side(traces: traces, errorTraces: errorTraces, unseenFailures: unseen)
    }
    let weight = try readDouble()
    let sum = try readDouble()
    return Side(
      traces: traces, errorTraces: errorTraces, unseenFailures: unseen,
      latency: LogLatency(weight: weight, sum: sum, squares: try readDouble()))
  }

  fileprivate mutating func readSides() throws(MalformedBytes) -> [Side] {
    var sides: [Side] = []
    for _ in 0..<(try readCount()) { sides.append(try readSide()) }
    return sides
  }

  fileprivate mutating func readStretch() throws(MalformedBytes) -> Stretch {
    let before = try readSide()
    return Stretch(before: before, after: try readSide())
  }

  fileprivate mutating func readSeries() throws(MalformedBytes) -> StretchSeries {
    let now = try readStretch()
    var earlier: [Stretch?] = []
    for _ in 0..<(try readCount()) {
      earlier.append(try readByte() == 1 ? try readStretch() : nil)
    }
    return StretchSeries(now: now, earlier: earlier)
  }
}
