import Model

extension GraphDiff {
  /// `{"start","end","base_start","base_end","revision","comparison":"ranges","min_change",
  /// "nodes":{"new","vanished","changed","unchanged"},"edges":{…},"calls":{…},"coverage",
  /// "base_coverage"}`; without `calls` where they were not compared.
  public var json: JSONText {
    var json = JSONText()
    json.object { json in
      json.member("start", Timestamp.text(current.start))
      json.member("end", Timestamp.text(current.end))
      json.member("base_start", Timestamp.text(base.start))
      json.member("base_end", Timestamp.text(base.end))
      json.member("revision", revision)
      json.member("comparison", "ranges")
      json.member("min_change", changeMin as Double?)
      json.differences("nodes", nodes) { write($1, to: &$0) }
      json.differences("edges", edges) { write($1, to: &$0) }
      if let calls { json.differences("calls", calls) { write($1, to: &$0) } }
      json.key("coverage")
      json.coverage(current.coverage)
      json.key("base_coverage")
      json.coverage(base.coverage)
    }
    return json
  }

  private func write(_ difference: NodeDifference, to json: inout JSONText) {
    guard let node = difference.current ?? difference.base else { return json.null() }
    json.object { json in
      json.identity(of: node)
      json.key("base")
      write(difference.base, base.seconds, to: &json)
      json.key("current")
      write(difference.current, current.seconds, to: &json)
      json.changes(difference.changes)
      json.member("new_versions", difference.newVersions)
      json.member("vanished_versions", difference.vanishedVersions)
    }
  }

  private func write(_ node: Node?, _ seconds: Double, to json: inout JSONText) {
    guard let node else { return json.null() }
    json.object { json in
      json.member("request_rate", rounded(node.figures.requests / seconds))
      json.presence(of: node)
    }
  }

  private func write(_ difference: EdgeDifference, to json: inout JSONText) {
    guard let edge = difference.current ?? difference.base else { return json.null() }
    json.object { json in
      json.ends(of: edge)
      json.key("base")
      write(difference.base, base.seconds, to: &json)
      json.key("current")
      write(difference.current, current.seconds, to: &json)
      json.changes(difference.changes)
    }
  }

  private func write(_ call: OperationCall, to json: inout JSONText) {
    json.object { json in
      json.member("service", call.service)
      if !call.environment.isEmpty { json.member("environment", call.environment) }
      json.member("operation", call.operation)
      json.member("callee", call.callee)
      json.member("callee_operation", call.calleeOperation)
      json.key("base")
      write(call.base, to: &json)
      json.key("current")
      write(call.current, to: &json)
      json.changes(call.changes)
    }
  }

  private func write(_ side: OperationCall.Side?, to json: inout JSONText) {
    guard let side else { return json.null() }
    json.object { json in
      json.member("requests", side.requests as Double?)
      json.member("probability", side.probability.map(rounded))
      json.member("per_request", side.perRequest.map(rounded))
    }
  }

  private func write(_ edge: Edge?, _ seconds: Double, to json: inout JSONText) {
    guard let edge else { return json.null() }
    json.object { json in
      json.member("request_rate", rounded(edge.requests / seconds))
      json.member("error_rate", edge.failedShare.map(rounded))
      json.member("requests", edge.requests)
      json.member("failed", edge.failed)
      json.measures(of: edge)
    }
  }
}

extension VersionDiff {
  /// `{"start","end","revision","comparison":"versions","min_change","node":{…,"base","current",
  /// "changes"},"not_compared":[…]}`.
  public var json: JSONText {
    var json = JSONText()
    json.object { json in
      json.range(start, end, revision)
      json.member("comparison", "versions")
      json.member("min_change", changeMin as Double?)
      json.member("node") { json in
        json.identity(of: node)
        json.member("base") { write(base, to: &$0) }
        json.member("current") { write(current, to: &$0) }
        json.changes(changes)
      }
      json.member("not_compared", VersionDiff.notCompared)
    }
    return json
  }

  private func write(_ view: VersionView, to json: inout JSONText) {
    json.member("request_rate", rounded(view.figures.requests / seconds))
    json.member("version", view.version)
    json.member("instances", view.instances)
    json.members(of: view.figures)
  }
}

extension JSONText {
  fileprivate mutating func differences<Element>(
    _ key: String, _ differences: Differences<Element>,
    _ write: (inout JSONText, Element) -> Void
  ) {
    member(key) { json in
      json.key("new")
      json.array(differences.appeared, write)
      json.key("vanished")
      json.array(differences.vanished, write)
      json.key("changed")
      json.array(differences.changed, write)
      json.member("unchanged", differences.unchangedCount)
    }
  }

  fileprivate mutating func changes(_ changes: [MetricChange]) {
    key("changes")
    array(changes) { json, change in
      json.object { json in
        json.member("metric", change.metric.rawValue)
        json.member("base", rounded(change.base) as Double?)
        json.member("current", rounded(change.current) as Double?)
        json.member("change", change.relative.map(rounded))
        json.key("interval")
        if let interval = change.interval {
          json.array([interval.lowerBound, interval.upperBound]) { $0.number(rounded($1)) }
        } else {
          json.null()
        }
        json.member("significant", change.isSignificant)
      }
    }
  }
}
