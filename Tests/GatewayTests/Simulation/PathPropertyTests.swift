import Graph
import Model
import TestSupport
import Testing

@testable import Gateway

@Suite("What is said of paths adds up")
struct PathPropertyTests {
  /// Scenario: random traces of services of which two versions run at once, folded and read.
  /// Guarantees: shares of each entry point and of each band sum to 1, bands to all requests and all
  /// time; errors came by some way; two versions' paths make up the difference of their means.
  @Test func sharesBandsAndVersions() throws {
    var generator = TraceGenerator(seed: SeededGenerator().seed)
    var random = SeededGenerator(seed: generator.random.seed &+ 1)
    var shard = Shard(limits: TraceLimits())
    for (index, batch) in generator.traces(120).batches(using: &random).enumerated() {
      shard.fold(batch, sequence: UInt64(index + 1), now: TraceGenerator.epoch)
    }
    shard.closeAll()
    shard.sealAll()
    let snapshot = shard.snapshot()
    var sums = snapshot.overlay
    for generation in snapshot.generations { sums.merge(generation.sums) }
    let window = sums.merged(from: 0, to: .max)
    let input = GraphInput(
      window: window, names: generator.names.names(window.series.keys.flatMap(\.names)),
      start: TraceGenerator.epoch, end: TraceGenerator.epoch + .minute)
    let entries = try GraphBuilder.callPaths(input, tenant: .standard).entries
    #expect(!entries.isEmpty)
    for entry in entries {
      let time = entry.paths.reduce(0.0) { $0 + $1.exclusiveSum + $1.gapSum }
      let shares = entry.paths.reduce(0.0) { $0 + $1.share }
      #expect(time == 0 || (shares - 1).magnitude < 1e-9)
      let requests = entry.bands.reduce(0.0) { $0 + $1.requests }
      #expect((requests - (entry.duration == nil ? 0 : entry.requests)).magnitude < 1e-6)
      var ofBands = 0.0
      for (number, band) in entry.bands.enumerated() {
        let means = entry.paths.reduce(0.0) { $0 + ($1.bands[number].mean ?? 0) }
        ofBands += means * band.requests
        let shares = entry.paths.reduce(0.0) { $0 + $1.bands[number].share }
        #expect(shares == 0 || (shares - 1).magnitude < 1e-9)
      }
      // Rounded to the nanosecond, path by path and trace by trace.
      #expect((ofBands - time).magnitude <= 1e-3 * max(1, time), "\(ofBands) \(time)")
      #expect(entry.errorTraces == 0 || !entry.errorPaths.isEmpty)
      #expect(entry.errorPaths.allSatisfy { $0.errors <= entry.errors && $0.share <= 1 })
      #expect(entry.absorbedTime >= 0 && entry.retryTime >= 0)
    }
    var compared = 0
    for number in 0..<6 {
      guard
        let comparison = try? PathComparison.versions(
          input, tenant: .standard, of: "service\(number)", base: "v0", current: "v1")
      else { continue }
      compared += 1
      let changes = comparison.paths.reduce(0.0) { $0 + $1.change }
      #expect((changes - comparison.change).magnitude < 1e-6)
      #expect(comparison.base.requests > 0 && comparison.current.requests > 0)
    }
    #expect(compared > 0)
  }
}
