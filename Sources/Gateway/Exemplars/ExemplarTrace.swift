// Exemplars: a few whole traces, so that a figure can be looked at. Of every series the store keeps
// the ids of three traces; here are the spans behind some of these ids.
//
// A shard keeps the spans of a sealed trace that is an example of a series of the present checkpoint
// (`ExemplarCandidates`). When the checkpoint has the sums of all shards it is known which ids they
// show, and those go into one store for the whole process (`ExemplarStore`); the others are dropped.
//
// They are held in memory and gone after a restart: on disk, the spans of three traces of every
// series of every ten seconds would be many times what the sums take, for what is looked at rarely.
import Model

/// A sealed trace with its spans.
struct ExemplarTrace: Sendable {
  var key: TraceKey
  var spans: [SpanRecord]
  /// It was sealed at its span limit or because memory asked: later spans were left out.
  var isCut: Bool

  /// About what it takes in memory: its spans, and its places in tables.
  var bytes: Int { spans.capacity * MemoryLayout<SpanRecord>.stride + ExemplarTrace.bytesBesides }

  static let bytesBesides = 256

  /// Unix nanoseconds; 0 without spans.
  var end: Nanos { spans.reduce(0) { max($0, $1.end) } }
}
