public import Model

/// What is wrong with one field of a marker.
public struct MarkerProblem: Equatable, Sendable {
  /// `kind`, `scaling.to`, `attributes.commit`.
  public var field: String
  /// What is wrong and what is right, for a person.
  public var message: String

  public init(_ field: String, _ message: String) {
    self.field = field
    self.message = message
  }
}

/// What fields of a marker may hold.
public struct MarkerLimits: Equatable, Sendable {
  /// Of names and versions, in bytes of UTF-8.
  public var nameBytesMax = 256
  public var dedupeKeyBytesMax = 512
  public var textBytesMax = 1_024
  public var urlBytesMax = 2_048
  public var attributesMax = 64
  public var attributeKeyBytesMax = 128
  public var instancesMax = 1_000_000
  /// How far ahead of the present a marker may be: clocks differ.
  public var aheadNanosMax: Nanos = 10 * .minute

  public init() {}
}
