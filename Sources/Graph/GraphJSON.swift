import Model

// Field names are part of the public contract: additions are free, changes of meaning are not.

extension ServiceGraph {
  /// `{"start","end","revision","nodes":[…],"edges":[…],"traffic":[…],"coverage":{…}}`.
  public var json: JSONText {
    var json = JSONText()
    json.object { json in
      json.range(start, end, revision)
      json.key("nodes")
      json.array(nodes) { json, node in json.object { $0.members(of: node) } }
      json.key("edges")
      json.array(edges) { $0.edge($1) }
      json.key("traffic")
      json.array(traffic) { $0.traffic($1) }
      json.key("coverage")
      json.coverage(coverage)
    }
    return json
  }
}

extension ServiceList {
  /// `{"start","end","revision","services":[…]}`, each as a node of the graph.
  public var json: JSONText {
    var json = JSONText()
    json.object { json in
      json.range(start, end, revision)
      json.key("services")
      json.array(services) { json, node in json.object { $0.members(of: node) } }
    }
    return json
  }
}

extension ServiceView {
  /// `{"start","end","revision","node":{…},"upstream":[…],"downstream":[…],"traffic":[…],
  /// "operations":[…],"versions":[…],"dimensions":[…],"blast_radius":{…},"health":{…},"markers":[…]}`.
  public var json: JSONText {
    var json = JSONText()
    json.object { json in
      json.range(start, end, revision)
      json.member("node") { $0.members(of: node) }
      json.key("upstream")
      json.array(upstream) { $0.edge($1) }
      json.key("downstream")
      json.array(downstream) { $0.edge($1) }
      json.key("traffic")
      json.array(traffic) { $0.traffic($1) }
      json.key("operations")
      json.array(operations) { json, view in
        json.object {
          $0.member("operation", view.operation)
          $0.members(of: view.figures, countsTraces: false)
          $0.key("calls")
          $0.array(view.calls) { $0.call($1) }
        }
      }
      json.key("versions")
      json.array(versions) { json, view in
        json.object {
          $0.member("version", view.version)
          $0.member("instances", view.instances)
          $0.members(of: view.figures)
        }
      }
      json.key("dimensions")
      json.array(dimensions) { json, view in
        json.object { json in
          json.member("attribute", view.attribute)
          json.key("values")
          json.array(view.values) { json, value in
            json.object {
              $0.member("value", value.value)
              $0.members(of: value.figures)
            }
          }
        }
      }
      if !notCounted.isEmpty { json.member("not_counted", notCounted) }
      json.member("blast_radius") { write(blastRadius, to: &$0) }
      if let health {
        json.member("health") { json in
          json.member("score", health.score.map(rounded))
          json.key("parts")
          json.array(health.parts) { json, part in
            json.object { json in
              json.member("name", part.name)
              json.member("score", part.score as Double?)
              json.member("weight", part.weight as Double?)
              json.member("why", part.why)
            }
          }
        }
      }
      json.key("markers")
      json.array(markers) { $0.marker($1) }
    }
    return json
  }

  private func write(_ radius: BlastRadius, to json: inout JSONText) {
    json.key("entry_points")
    json.array(radius.entryPoints) { json, entry in
      json.object { json in
        json.identity(of: entry.node)
        json.member("distance", entry.distance)
        json.member("requests", entry.requests as Double?)
        json.member("request_rate", rounded(entry.requests / rangeSeconds(start, end)) as Double?)
        json.member("share_at_most", rounded(entry.shareAtMost) as Double?)
      }
    }
    json.member("truncated", radius.isTruncated)
  }
}

extension JSONText {
  mutating func range(_ start: Nanos, _ end: Nanos, _ revision: UInt64) {
    member("start", Timestamp.text(start))
    member("end", Timestamp.text(end))
    member("revision", revision)
  }

  fileprivate mutating func members(of node: Node) {
    identity(of: node)
    presence(of: node)
    member("health", node.health.map(rounded))
  }

  /// Which node it is.
  mutating func identity(of node: Node) {
    member("id", node.id)
    member("service", node.service)
    member("namespace", node.namespace)
    if !node.environment.isEmpty { member("environment", node.environment) }
    member("kind", node.kind.rawValue)
  }

  /// What was seen of it.
  mutating func presence(of node: Node) {
    member("versions", node.versions)
    member("instances", node.instances)
    member("clusters", node.clusters)
    members(of: node.figures)
    member("errors_absorbed", node.errorsAbsorbed)
  }

  /// - Parameter countsTraces: traces are counted by node and by version, not by operation.
  mutating func members(of figures: Figures, countsTraces: Bool = true) {
    member("requests", figures.requests)
    member("effective_requests", rounded(figures.effectiveRequests))
    member("errors", figures.errors)
    member("error_rate", figures.errorRate.map(rounded))
    member("error_origins", figures.errorOrigins)
    member("errors_passed_through", figures.errorsPassedThrough)
    if countsTraces {
      member("traces", figures.traces)
      member("error_traces", figures.errorTraces)
    }
    summary("latency_ms", figures.latency)
    summary("self_time_ms", figures.selfTime)
    member("critical_path_share", figures.criticalPathShare.map(rounded))
    if countsTraces { member("exemplars", figures.exemplars.map(\.description)) }
  }

  fileprivate mutating func edge(_ edge: Edge) {
    object { json in
      json.ends(of: edge)
      json.member("requests", edge.requests)
      json.member("failed", edge.failed)
      json.measures(of: edge)
    }
  }

  fileprivate mutating func traffic(_ edge: TrafficEdge) {
    object { json in
      json.member("client", edge.client)
      json.member("server", edge.server)
      if !edge.clientEnvironment.isEmpty {
        json.member("client_environment", edge.clientEnvironment)
      }
      if !edge.serverEnvironment.isEmpty {
        json.member("server_environment", edge.serverEnvironment)
      }
      json.member("source", edge.source.label)
      json.member("recorded_by", edge.recordedBy.compactMap(\.label))
      json.member("records", edge.records)
      json.member("requests", edge.requests)
      json.member("failed", edge.failed as Double?)
      json.member("bytes", edge.bytes)
      json.summary("latency_ms", edge.latency)
    }
  }

  fileprivate mutating func call(_ call: CallView) {
    object { json in
      json.member("callee", call.callee)
      if !call.operation.isEmpty { json.member("operation", call.operation) }
      json.member("requests", call.requests as Double?)
      json.member("failed", call.failed as Double?)
      json.member("probability", call.probability)
      json.member("per_request", call.perRequest)
      json.member("error_propagation") { json in
        json.member("propagated", call.errorPropagation.propagated)
        json.member("absorbed", call.errorPropagation.absorbed)
        json.member("probability", call.errorPropagation.probability.map(rounded))
      }
    }
  }

  /// Which edge it is.
  mutating func ends(of edge: Edge) {
    member("client", edge.client)
    member("server", edge.server)
    if !edge.clientEnvironment.isEmpty { member("client_environment", edge.clientEnvironment) }
    if !edge.serverEnvironment.isEmpty { member("server_environment", edge.serverEnvironment) }
    member("connection_type", edge.connectionType.label)
  }

  /// What is known about it besides how many calls it had.
  mutating func measures(of edge: Edge) {
    member("effective_requests", rounded(edge.effectiveRequests))
    summary("client_latency_ms", edge.clientLatency)
    summary("server_latency_ms", edge.serverLatency)
    summary("gap_ms", edge.gap)
    member("critical_path_share", edge.criticalPathShare.map(rounded))
    member("error_propagation") { json in
      json.member("callee_failures", edge.errorPropagation.calleeFailures)
      json.member("propagated", edge.errorPropagation.propagated)
      json.member("absorbed", edge.errorPropagation.absorbed)
      json.member("probability", edge.errorPropagation.probability.map(rounded))
      json.member("absorbed_ms", edge.errorPropagation.absorbedTime as Double?)
      json.member("retry_ms", edge.errorPropagation.retryTime as Double?)
    }
    if let wait = edge.wait { members(of: wait) }
    member("exemplars", edge.exemplars.map(\.description))
  }

  mutating func members(of wait: CallWait) {
    summary("drag_ms", wait.drag)
    summary("slack_ms", wait.slack)
    member("blocking_share", wait.blockingShare.map(rounded))
  }

  mutating func summary(_ key: String, _ summary: DurationSummary?) {
    self.key(key)
    guard let summary else { return null() }
    object { json in
      json.member("mean", summary.mean)
      json.member("p50", summary.p50)
      json.member("p90", summary.p90)
      json.member("p95", summary.p95)
      json.member("p99", summary.p99)
      json.member("max", summary.maximum)
    }
  }

  mutating func coverage(_ coverage: Coverage) {
    object { json in
      json.member("spans", coverage.spans)
      json.member("traces", coverage.traces)
      json.member("late_spans", coverage.lateSpans)
      json.member("duplicates", coverage.duplicates)
      json.member("clock_skew") { json in
        json.member("adjusted", coverage.skewAdjusted)
        json.member("over_limit", coverage.skewOverLimit)
      }
      json.member("paired", coverage.paired)
      json.member("unpaired") { json in
        for (reason, count) in coverage.unpaired.sorted(by: { $0.key < $1.key }) {
          json.member(reason, count)
        }
      }
      json.member("standalone") { json in
        for (reason, count) in coverage.standalone.sorted(by: { $0.key < $1.key }) {
          json.member(reason, count)
        }
      }
      json.member("overflow") { json in
        for (limit, count) in coverage.overflow.sorted(by: { $0.key < $1.key }) {
          json.member(limit, count)
        }
      }
      json.member("traffic_records") { json in
        for (source, count) in coverage.trafficRecords.sorted(by: { $0.key < $1.key }) {
          json.member(source, count)
        }
      }
    }
  }
}

/// Shares and rates to nine digits: more are noise of the division.
func rounded(_ share: Double) -> Double { (share * 1e9).rounded() / 1e9 }
