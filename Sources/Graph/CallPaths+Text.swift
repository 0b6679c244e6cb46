import Model

extension CallPaths {
  /// `{"start","end","revision","entry","traces","requests","duration_ms","paths":[…],"entries":[…]}`:
  /// the busiest entry point with its paths, and all entry points there are.
  public var json: JSONText {
    var json = JSONText()
    json.object { json in
      json.range(start, end, revision)
      json.member("rule", rule.rawValue)
      if let entry = entries.first { write(entry, to: &json) }
      json.key("entries")
      json.array(entries) { json, entry in
        json.object { json in
          json.member("entry", entry.entry)
          json.member("service", entry.service)
          json.member("operation", entry.operation)
          if !entry.environment.isEmpty { json.member("environment", entry.environment) }
          json.member("requests", entry.requests as Double?)
          json.member("traces", entry.traces)
        }
      }
    }
    return json
  }

  private func write(_ entry: EntryPaths, to json: inout JSONText) {
    json.member("entry", entry.entry)
    json.member("traces", entry.traces)
    json.member("requests", entry.requests as Double?)
    json.summary("duration_ms", entry.duration)
    json.member("error_traces", entry.errorTraces)
    json.member("absorbed_ms", entry.absorbedTime as Double?)
    json.member("retry_ms", entry.retryTime as Double?)
    json.key("bands")
    json.array(entry.bands) { json, band in
      json.object { json in
        json.quantiles(of: band)
        json.member("from_ms", band.from as Double?)
        json.member("to_ms", band.to as Double?)
        json.member("requests", band.requests as Double?)
      }
    }
    json.key("paths")
    json.array(entry.paths) { json, path in
      json.object { json in
        json.member("path", path.path)
        json.member("traces", path.traces)
        json.member("exclusive_ms") { $0.times(path.exclusiveSum, path.exclusive) }
        json.member("gap_ms") { $0.times(path.gapSum, path.gap) }
        json.member("share", path.share as Double?)
        json.member("error_traces", path.errorTraces)
        json.member("absorbed_ms", path.absorbedTime as Double?)
        json.member("retry_ms", path.retryTime as Double?)
        json.key("bands")
        json.array(zip(entry.bands, path.bands)) { json, band in
          json.object { json in
            json.quantiles(of: band.0)
            json.member("critical_path_ms", band.1.mean)
            json.member("share", band.1.share as Double?)
          }
        }
        json.member("exemplars", path.exemplars.map { "\($0)" })
      }
    }
    json.key("error_paths")
    json.array(entry.errorPaths) { json, way in
      json.object { json in
        json.member("path", way.path)
        json.member("origin", way.path.last ?? "")
        json.member("error_traces", way.traces)
        json.member("errors", way.errors as Double?)
        json.member("share", way.share as Double?)
        json.member("duration_ms") { $0.times(way.durationSum, way.duration) }
        json.member("exemplars", way.exemplars.map { "\($0)" })
      }
    }
  }

  /// Folded stacks of all entry points: own time and gap together.
  public var folded: String {
    var stacks = FoldedStacks()
    for path in entries.lazy.flatMap(\.paths) { stacks.add(path.path, path.criticalNanos) }
    return stacks.text
  }
}

extension JSONText {
  fileprivate mutating func quantiles(of band: PathBand) {
    member("from_quantile", band.fromQuantile as Double?)
    member("to_quantile", band.toQuantile as Double?)
  }

  fileprivate mutating func times(_ sum: Double, _ summary: DurationSummary?) {
    member("sum", sum as Double?)
    member("mean", summary?.mean)
    member("p50", summary?.p50)
    member("p95", summary?.p95)
    member("p99", summary?.p99)
  }
}
