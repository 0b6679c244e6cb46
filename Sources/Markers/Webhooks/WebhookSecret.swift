/// What a source and the gateway both know and nobody else does. It is never shown.
public struct WebhookSecret: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
  public let bytes: [UInt8]

  /// nil for nothing.
  public init?(_ text: String) {
    guard !text.isEmpty else { return nil }
    bytes = Array(text.utf8)
  }

  public var description: String { "set" }
  public var customMirror: Mirror { Mirror(self, children: []) }
}
