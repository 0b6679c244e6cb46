import Model

extension TraceForest {
  /// Whether a span of another service came by a message of the one above it. Below a producer all do.
  /// Below a client's span that sends, or a proxy of the sender by way of which it was sent, a server's
  /// span is one that the broker called; any other proxy there is on the way to the broker.
  func isSent(_ child: Int, under parent: Int) -> Bool {
    TraceForest.isSent(child, under: parent, spans) { self.parent(of: $0) ?? -1 }
  }

  /// - Parameter parentOf: −1 for none.
  static func isSent(
    _ child: Int, under parent: Int, _ spans: [SpanRecord], parentOf: (Int) -> Int
  ) -> Bool {
    if spans[parent].kind == .producer { return true }
    guard spans[child].kind == .server else { return false }
    var sender = parent
    for _ in 0...wrappersMax {
      if spans[sender].sendsThroughQueue { return true }
      guard spans[sender].traits.contains(.proxy) else { return false }
      let above = parentOf(sender)
      guard above >= 0, spans[above].service == spans[sender].service else { return false }
      sender = above
    }
    return false
  }
}
