import Model

extension PathComparison {
  /// `{"start","end","revision","comparison","entry","base","current","change_ms","paths":[{"path",
  /// "base","current","change_ms","share_change"}]}`.
  public var json: JSONText {
    var json = JSONText()
    json.object { json in
      json.range(current.start, current.end, revision)
      json.member("rule", rule.rawValue)
      switch subject {
      case .ranges:
        json.member("base_start", Timestamp.text(base.start))
        json.member("base_end", Timestamp.text(base.end))
        json.member("comparison", "ranges")
      case .versions(let service, let before, let after):
        json.member("comparison", "versions")
        json.member("service", service)
        json.member("version", after)
        json.member("base_version", before)
      }
      if !entry.isEmpty { json.member("entry", entry) }
      if !environment.isEmpty { json.member("environment", environment) }
      json.member("base") { write(base, to: &$0) }
      json.member("current") { write(current, to: &$0) }
      json.member("change_ms", change as Double?)
      json.key("paths")
      json.array(paths) { write($1, to: &$0) }
    }
    return json
  }

  private func write(_ side: Side, to json: inout JSONText) {
    json.member("traces", side.traces)
    json.member("requests", side.requests as Double?)
    json.summary("duration_ms", side.duration)
    json.member("critical_path_ms", side.mean as Double?)
  }

  private func write(_ path: Path, to json: inout JSONText) {
    json.object { json in
      json.member("path", path.path)
      json.key("base")
      write(path.base, to: &json)
      json.key("current")
      write(path.current, to: &json)
      json.member("change_ms", path.change as Double?)
      json.member(
        "share_change", ((path.current?.share ?? 0) - (path.base?.share ?? 0)) as Double?)
    }
  }

  private func write(_ figures: Figures?, to json: inout JSONText) {
    guard let figures else { return json.null() }
    json.object { json in
      json.member("traces", figures.traces)
      json.member("error_traces", figures.errorTraces)
      json.member("exclusive_ms", figures.exclusive as Double?)
      json.member("gap_ms", figures.gap as Double?)
      json.member("critical_path_ms", figures.mean as Double?)
      json.member("share", figures.share as Double?)
      json.member("exemplars", figures.exemplars.map { "\($0)" })
    }
  }
}
