import HTTP2
import OTLP

/// The open `Watch` calls of one connection, each told the status when it begins and at every
/// change after.
struct HealthWatches {
  private var watches: [Int32: (service: String, told: ServingStatus?)] = [:]

  /// A client that lets this much wait does not read, and is let go.
  private static let pendingBytesMax = 4096

  var isEmpty: Bool { watches.isEmpty }

  mutating func begin(_ stream: Int32, service: String) { watches[stream] = (service, nil) }

  mutating func end(_ stream: Int32) { watches[stream] = nil }

  /// Tells each watch its status if that is news to it.
  mutating func tell(_ session: HTTP2Session, _ status: (String) -> ServingStatus) {
    for (stream, watch) in watches {
      let current = status(watch.service)
      guard current != watch.told else { continue }
      if session.pendingBytes(of: stream) > HealthWatches.pendingBytesMax {
        session.reset(stream, .cancel)
        watches[stream] = nil
      } else {
        session.append(GRPCFraming.framed(HealthCodec.encodeResponse(current)), to: stream)
        watches[stream]?.told = current
      }
    }
  }

  mutating func endAll(_ session: HTTP2Session, _ trailers: [HTTP2Header]) {
    for stream in watches.keys { session.finish(stream, trailers: trailers) }
    watches.removeAll()
  }
}
