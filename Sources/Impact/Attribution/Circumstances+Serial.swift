internal import Model

// The form circumstances are kept in with a verdict.

extension Circumstances {
  func write(to writer: inout ByteWriter) {
    writer.write(varint: UInt64(changes.count))
    for change in changes {
      writer.write(varint: change.marker.raw)
      writer.write(text: change.kind.rawValue)
      writer.write(text: change.service)
      writer.write(text: change.version)
      writer.write(change.place.rawValue)
      writer.write(varint: change.time)
      writer.write(optional: change.undone)
    }
    Circumstances.write(onset, to: &writer)
    Circumstances.write(surge, to: &writer)
    writer.write(varint: UInt64(causes.count))
    for cause in causes {
      writer.write(text: cause.kind.rawValue)
      writer.write(cause.place.rawValue)
      writer.write(text: cause.service)
      writer.write(text: cause.caller)
      writer.write(cause.share)
    }
    Circumstances.write(mix, to: &writer)
    Circumstances.write(busiest, to: &writer)
    writer.write(optional: instances.map { UInt64($0.before) })
    if let instances { writer.write(varint: UInt64(instances.now)) }
    writer.write(optional: undone)
  }

  private static func write(_ moment: Moment?, to writer: inout ByteWriter) {
    writer.write(optional: moment?.earliest)
    guard let moment else { return }
    writer.write(varint: moment.latest)
    writer.write(optional: moment.ended)
  }

  private static func write(_ operation: Operation?, to writer: inout ByteWriter) {
    writer.write(operation == nil ? 0 : 1 as UInt8)
    guard let operation else { return }
    writer.write(text: operation.name)
    writer.write(operation.amount)
  }

  init(from reader: inout ByteReader) throws(MalformedBytes) {
    var changes: [Change] = []
    for _ in 0..<(try reader.readCount()) {
      let marker = MarkerID(try reader.readVarint())
      guard let kind = MarkerKind(rawValue: try reader.readText()) else { throw MalformedBytes() }
      let service = try reader.readText()
      let version = try reader.readText()
      let place = try Circumstances.readPlace(&reader)
      let time = try reader.readVarint()
      changes.append(
        Change(
          marker: marker, kind: kind, service: service, version: version, place: place,
          time: time, undone: try reader.readOptional()))
    }
    let onset = try Circumstances.readMoment(&reader)
    let surge = try Circumstances.readMoment(&reader)
    var causes: [Cause] = []
    for _ in 0..<(try reader.readCount()) {
      guard let kind = RootCause.Kind(rawValue: try reader.readText()) else {
        throw MalformedBytes()
      }
      let place = try Circumstances.readPlace(&reader)
      let service = try reader.readText()
      let caller = try reader.readText()
      causes.append(
        Cause(
          kind: kind, place: place, service: service, caller: caller,
          share: try reader.readDouble()))
    }
    let mix = try Circumstances.readOperation(&reader)
    let busiest = try Circumstances.readOperation(&reader)
    var instances: Instances?
    if let before = try reader.readOptional() {
      instances = Instances(
        before: Int(clamping: before), now: Int(clamping: try reader.readVarint()))
    }
    self.init(
      changes: changes, onset: onset, surge: surge, causes: causes, mix: mix, busiest: busiest,
      instances: instances, undone: try reader.readOptional())
  }

  private static func readPlace(
    _ reader: inout ByteReader
  ) throws(MalformedBytes) -> Place {
    guard let place = Place(rawValue: try reader.readByte()) else { throw MalformedBytes() }
    return place
  }

  private static func readMoment(
    _ reader: inout ByteReader
  ) throws(MalformedBytes) -> Moment? {
    guard let earliest = try reader.readOptional() else { return nil }
    let latest = try reader.readVarint()
    return Moment(earliest: earliest, latest: latest, ended: try reader.readOptional())
  }

  private static func readOperation(
    _ reader: inout ByteReader
  ) throws(MalformedBytes) -> Operation? {
    guard try reader.readByte() == 1 else { return nil }
    let name = try reader.readText()
    return Operation(name: name, amount: try reader.readDouble())
  }
}
