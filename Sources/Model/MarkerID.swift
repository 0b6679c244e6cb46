/// The id of a marker: a 64-bit hash of what makes it the marker it is, so that the same history
/// has the same ids in every process. Users read it as `mk_` and 16 hexadecimal digits.
public struct MarkerID: Hashable, Sendable, Comparable {
  public var raw: UInt64

  public init(_ raw: UInt64) { self.raw = raw }

  public static let prefix = "mk_"

  /// Reads what `description` writes; nil for anything else.
  public init?(_ text: String) {
    guard text.hasPrefix(MarkerID.prefix) else { return nil }
    let digits = Array(text.utf8.dropFirst(MarkerID.prefix.utf8.count))
    guard digits.count == 16, let raw = UInt64(hexadecimalDigits: digits[...]) else { return nil }
    self.init(raw)
  }

  public static func < (a: MarkerID, b: MarkerID) -> Bool { a.raw < b.raw }
}

extension MarkerID: CustomStringConvertible {
  public var description: String { MarkerID.prefix + raw.hexadecimal }
}

extension MarkerID {
  /// What a hash is made of: kept apart, so that a key nobody chose never meets one somebody did.
  private enum Origin: UInt64 {
    case dedupeKey = 1
    case content = 2
    case inference = 3
    case scaling = 4
  }

  /// The id of whatever a tenant posts under a key of its own.
  public static func of(tenant: TenantID, dedupeKey: String) -> MarkerID {
    hashed(tenant, .dedupeKey) { $0.write(text: dedupeKey) }
  }

  /// The id of a version's first appearance. When that was is not part of it: a span that comes
  /// late may move it.
  public static func of(
    tenant: TenantID, service: NodeIdentity, firstSightOf version: String
  ) -> MarkerID {
    hashed(tenant, .inference) {
      $0.write(text: service.text)
      $0.write(text: version)
    }
  }

  /// The id of a change of size that the spans show.
  public static func of(
    tenant: TenantID, service: NodeIdentity, scalingAt time: Nanos
  ) -> MarkerID {
    hashed(tenant, .scaling) {
      $0.write(text: service.text)
      $0.write(varint: time)
    }
  }

  /// The id of a marker without a key: all that was said of it.
  static func of(content marker: Marker) -> MarkerID {
    hashed(marker.tenant, .content) { writer in
      for text in [
        marker.kind.rawValue, marker.service, marker.namespace, marker.environment,
        marker.version, marker.previousVersion, marker.source, marker.url,
      ] {
        writer.write(text: text)
      }
      writer.write(varint: marker.time)
      writer.write(optional: marker.endTime.map(Int64.init(clamping:)))
      writer.write(optional: marker.scaling?.from.map(Int64.init))
      writer.write(optional: marker.scaling.map { Int64($0.to) })
      writer.write(text: marker.scaling?.reason ?? "")
      // What an end says by itself is not said twice.
      if let state = marker.state, state != .finished { writer.write(text: state.rawValue) }
      for (key, value) in marker.attributes.sorted(by: { $0.key < $1.key }) {
        writer.write(text: key)
        writer.write(text: "\(value)")
      }
    }
  }

  private static func hashed(
    _ tenant: TenantID, _ origin: Origin, _ write: (inout ByteWriter) -> Void
  ) -> MarkerID {
    var writer = ByteWriter()
    write(&writer)
    var hash = SipHash(key0: UInt64(tenant.raw) << 8 | origin.rawValue, key1: 0x6d_6172_6b65_7273)
    return MarkerID(hash.finish(over: writer.bytes.span))
  }
}

extension ByteWriter {
  fileprivate mutating func write(optional value: Int64?) {
    write(value == nil ? 0 : 1 as UInt8)
    if let value { write(signed: value) }
  }
}
