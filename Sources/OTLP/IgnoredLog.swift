/// Why an accepted log record told nothing. The raw value is the label of the reason in `/metrics`.
///
/// Senders are not told: a Collector that sends all the logs it has does nothing wrong, and
/// partial success with rejected records would alarm whoever runs it.
public enum IgnoredLog: String, Sendable, CaseIterable {
  /// None of its fields are those of an access log.
  case unrecognized = "no_access_log"
  /// The same, and its body is a line of text, which is not taken apart.
  case text = "text_body"
  /// An object of Kubernetes that is no event, or an event that Kubernetes only forgets.
  case object = "kubernetes_object"
  /// An event of Kubernetes beyond those that are read of one request.
  case eventBeyondLimit = "event_beyond_limit"

  /// The name of the reason in `/metrics`.
  public var label: String { rawValue }
}
