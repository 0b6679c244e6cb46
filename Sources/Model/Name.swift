/// The identity of a name outside memory: a 64-bit hash of (tenant, kind, scope, text).
///
/// Because the hash *is* the id, the same name has the same id in every process, journal segment and
/// store, windows of different gateways add without translation, and forgetting a name that has
/// long been unused can never make an id point at another text.
public struct NameID: Hashable, Sendable, Comparable {
  public var raw: UInt64

  public init(_ raw: UInt64) { self.raw = raw }

  public static let none = NameID(0)
  public var isNone: Bool { raw == 0 }

  public static func < (a: NameID, b: NameID) -> Bool { a.raw < b.raw }
}

/// What a name names. The numbers are part of the journal's and the store's format.
public enum NameKind: UInt8, Sendable, CaseIterable {
  /// A service. Text: `NodeIdentity.text`.
  case service = 1
  /// A database or cache nobody traces. Text: `NodeIdentity.text`.
  case database = 2
  /// A queue or topic. Text: `NodeIdentity.text`.
  case messaging = 3
  /// Anything else that is called and does not report. Text: `NodeIdentity.text`.
  case external = 4
  /// A version, within the service that is its scope.
  case version = 5
  /// An instance, within the service that is its scope.
  case instance = 6
  /// An operation, within the service that is its scope.
  case operation = 7
  /// A host a call went to, without the port.
  case address = 8
  /// Somebody who calls and does not report. Text: `NodeIdentity.text`.
  case client = 9
  /// What else is told apart of requests. Text: `Dimensions.text`.
  case dimensions = 10

  public var isNode: Bool { rawValue <= NameKind.external.rawValue || self == .client }
}

/// A name in full.
public struct Name: Hashable, Sendable {
  public var id: NameID
  public var tenant: TenantID
  public var kind: NameKind
  /// The service that operations, versions and instances belong to; `NameID.none` for nodes.
  public var scope: NameID
  public var text: String

  public init(
    tenant: TenantID, kind: NameKind, scope: NameID = .none, text: String
  ) {
    id = Name.id(tenant: tenant, kind: kind, scope: scope, text: Array(text.utf8).span)
    self.tenant = tenant
    self.kind = kind
    self.scope = scope
    self.text = text
  }

  /// The text under which all names beyond a limit are summed.
  public static let overflowText = "__overflow__"

  /// The same as the text of a name of this kind holds it.
  static func overflowText(of kind: NameKind) -> String {
    kind.isNode ? NodeIdentity(name: overflowText).text : overflowText
  }

  /// The id of a name, from the bytes of its text. Never `NameID.none`.
  public static func id(
    tenant: TenantID, kind: NameKind, scope: NameID, text: Span<UInt8>
  ) -> NameID {
    var hash = SipHash(
      key0: UInt64(tenant.raw) << 8 | UInt64(kind.rawValue), key1: scope.raw)
    let value = hash.finish(over: text)
    return NameID(value == 0 ? 1 : value)
  }
}

/// Who a node is, as the text of its name holds it: environment, namespace and name, divided by
/// the unit separator (U+001F), which decoding removes from what senders call themselves.
public struct NodeIdentity: Hashable, Sendable {
  public var environment: String
  public var namespace: String
  public var name: String

  public init(environment: String = "", namespace: String = "", name: String) {
    self.environment = environment
    self.namespace = namespace
    self.name = name
  }

  public static let separator: Character = "\u{1F}"

  public var text: String { "\(environment)\u{1F}\(namespace)\u{1F}\(name)" }

  public init(text: String) {
    let parts = text.split(
      separator: NodeIdentity.separator, maxSplits: 2, omittingEmptySubsequences: false)
    if parts.count == 3 {
      self.init(
        environment: String(parts[0]), namespace: String(parts[1]), name: String(parts[2]))
    } else {
      self.init(name: text)
    }
  }
}

extension NodeIdentity {
  /// Namespace and name as users read and write them: `namespace/name`, or `name` without a namespace. No
  /// two identities of one environment are written alike, and nothing in it needs quoting: what divides,
  /// and what cannot be seen, stands in it percent-encoded.
  /// - Source: RFC 3986, 2.1.
  public var path: String {
    let name = NodeIdentity.encoded(name)
    return namespace.isEmpty ? name : "\(NodeIdentity.encoded(namespace))/\(name)"
  }

  /// Text with `/`, `%`, these scalars and all that cannot be seen percent-encoded.
  public static func encoded(_ text: String, besides scalars: [Unicode.Scalar] = []) -> String {
    func isPlain(_ scalar: Unicode.Scalar) -> Bool {
      scalar != "/" && scalar != "%" && !isUnseen(scalar) && !scalars.contains(scalar)
    }
    if text.unicodeScalars.allSatisfy(isPlain) { return text }
    var encoded = ""
    for scalar in text.unicodeScalars {
      if isPlain(scalar) {
        encoded.unicodeScalars.append(scalar)
      } else {
        for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter {
          let digits = String(byte, radix: 16, uppercase: true)
          encoded += byte < 16 ? "%0\(digits)" : "%\(digits)"
        }
      }
    }
    return encoded
  }

  /// Controls, marks of direction and the like, and scalars that are no characters.
  private static func isUnseen(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.isASCII { return scalar.value < 0x20 || scalar.value == 0x7F }
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: return true
    default: return scalar.properties.isNoncharacterCodePoint
    }
  }
}

/// Which instance of a service it is, as the text of its name holds it: what it calls itself and,
/// behind the unit separator (U+001F), the address it says it has. So the series of instances tell
/// who had which address when.
public struct InstanceIdentity: Hashable, Sendable {
  public var instance: String
  /// Without a port; empty when it said none.
  public var address: String

  public init(instance: String, address: String = "") {
    self.instance = instance
    self.address = address
  }

  public var text: String { address.isEmpty ? instance : "\(instance)\u{1F}\(address)" }

  public init(text: String) {
    let parts = text.split(
      separator: NodeIdentity.separator, maxSplits: 1, omittingEmptySubsequences: false)
    self.init(instance: String(parts[0]), address: parts.count == 2 ? String(parts[1]) : "")
  }
}

/// What else is told apart of requests, as the text of a name of kind `.dimensions` holds it: pairs of
/// attribute and value (`k8s.cluster.name=eu-1`), sorted by attribute, divided by the unit separator
/// (U+001F).
public struct Dimensions: Hashable, Sendable {
  public struct Pair: Hashable, Sendable {
    public var attribute: String
    public var value: String

    public init(attribute: String, value: String) {
      self.attribute = attribute
      self.value = value
    }
  }

  public var pairs: [Pair]

  /// The attribute that names the cluster.
  public static let cluster = "k8s.cluster.name"

  public init(_ pairs: [Pair]) { self.pairs = pairs.sorted { $0.attribute < $1.attribute } }

  public var text: String {
    pairs.map { "\($0.attribute)=\($0.value)" }.joined(separator: "\u{1F}")
  }

  public init(text: String) {
    self.init(
      text.split(separator: NodeIdentity.separator).map { pair in
        let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        return Pair(attribute: String(parts[0]), value: parts.count == 2 ? String(parts[1]) : "")
      })
  }

  /// The value of an attribute; nil when it has none.
  public subscript(attribute: String) -> String? {
    pairs.first { $0.attribute == attribute }?.value
  }
}

/// SipHash-1-3: one compression round a word, three at the end.
/// - Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012.
struct SipHash {
  private var v0: UInt64
  private var v1: UInt64
  private var v2: UInt64
  private var v3: UInt64

  init(key0: UInt64, key1: UInt64) {
    v0 = key0 ^ 0x736f_6d65_7073_6575
    v1 = key1 ^ 0x646f_7261_6e64_6f6d
    v2 = key0 ^ 0x6c79_6765_6e65_7261
    v3 = key1 ^ 0x7465_6462_7974_6573
  }

  mutating func finish(over bytes: Span<UInt8>) -> UInt64 {
    var offset = 0
    while offset + 8 <= bytes.count {
      var word: UInt64 = 0
      for position in 0..<8 { word |= UInt64(bytes[offset + position]) << UInt64(8 * position) }
      compress(word)
      offset += 8
    }
    var last = UInt64(truncatingIfNeeded: bytes.count) << 56
    for position in offset..<bytes.count {
      last |= UInt64(bytes[position]) << UInt64(8 * (position - offset))
    }
    compress(last)
    v2 ^= 0xff
    round()
    round()
    round()
    return v0 ^ v1 ^ v2 ^ v3
  }

  @inline(__always)
  private mutating func compress(_ word: UInt64) {
    v3 ^= word
    round()
    v0 ^= word
  }

  @inline(__always)
  private mutating func round() {
    v0 = v0 &+ v1
    v1 = (v1 << 13 | v1 >> 51) ^ v0
    v0 = v0 << 32 | v0 >> 32
    v2 = v2 &+ v3
    v3 = (v3 << 16 | v3 >> 48) ^ v2
    v0 = v0 &+ v3
    v3 = (v3 << 21 | v3 >> 43) ^ v0
    v2 = v2 &+ v1
    v1 = (v1 << 17 | v1 >> 47) ^ v2
    v2 = v2 << 32 | v2 >> 32
  }
}
