import Model

extension TraceForest {
  /// Whether what another service does below a span came through a queue: the span sends a message, or is
  /// a proxy of the service that does, by way of which it was sent.
  func leadsToQueue(_ index: Int) -> Bool {
    TraceForest.leadsToQueue(index, spans) { parent(of: $0) ?? -1 }
  }

  /// - Parameter parent: −1 for none.
  static func leadsToQueue(
    _ index: Int, _ spans: [SpanRecord], parent: (Int) -> Int
  ) -> Bool {
    var span = index
    for _ in 0...wrappersMax {
      if spans[span].sendsThroughQueue { return true }
      guard spans[span].traits.contains(.proxy) else { return false }
      let above = parent(span)
      guard above >= 0, spans[above].service == spans[span].service else { return false }
      span = above
    }
    return false
  }
}
