import HTTP2
import Journal
import Model
import OTLP
import Query
import Receive
import Synchronization

/// The gateway's own metrics: what came in, what was refused and why, what is held.
enum GatewayMetrics {
  static func collect(engine: Engine, receiver: Receiver) async -> MetricsSnapshot {
    let edges = await engine.checkpointer.sealedEdges
    let exemplars = await engine.checkpointer.edgeExemplars
    var names = engine.names.names(edges.series.keys.flatMap(\.names))
    names[SealedEdges.overflowName.id] = SealedEdges.overflowName
    let partners = GatewayMetrics.partners(
      await engine.checkpointer.sealedPaired, await engine.checkpointer.sealedUnpaired)
    let metrics =
      received(receiver.counters) + refused(engine) + overflowed(engine.names) + partners
    return MetricsSnapshot(
      edges: edges, exemplars: exemplars, names: names, metrics: metrics + (await held(engine)))
  }

  /// Spans of sealed traces, each in one of these. What lacks a partner is a metric of its own, so that
  /// an alert on it does not have to know which reasons are no fault.
  static func partners(_ paired: Int64, _ counts: [UnpairedReason: Int64]) -> [Metric] {
    func samples(_ isIncluded: (UnpairedReason) -> Bool) -> [Metric.Sample] {
      UnpairedReason.allCases.filter(isIncluded).map { reason in
        .init(Double(counts[reason] ?? 0), labels: ["reason": reason.label])
      }
    }
    return [
      Metric(
        "spangate_spans_paired_total", .counter,
        help: "Spans of sealed traces that are an end of an edge and lack no partner.",
        value: Double(paired)),
      Metric(
        "spangate_spans_unpaired_total", .counter,
        help: "Spans of sealed traces that might have made an edge and made none, by reason.",
        samples: samples { !$0.isStandalone }),
      Metric(
        "spangate_spans_standalone_total", .counter,
        help: "Spans of sealed traces that need no partner, by reason.",
        samples: samples(\.isStandalone)),
    ]
  }

  private static func received(_ counters: ReceiverCounters) -> [Metric] {
    let transports = [("grpc", counters.grpc), ("http", counters.http)]
    func each(
      _ name: String, _ help: String, _ value: (ReceiverCounters.Transport) -> Int
    ) -> Metric {
      Metric(
        name, .counter, help: help,
        samples: transports.map { .init(Double(value($0.1)), labels: ["transport": $0.0]) })
    }
    func byReason(
      _ counts: (ReceiverCounters.Transport) -> [RejectionReason: Int]
    ) -> [Metric.Sample] {
      transports.flatMap { transport, counters in
        RejectionReason.allCases.map { reason in
          Metric.Sample(
            Double(counts(counters)[reason] ?? 0),
            labels: ["transport": transport, "reason": reason.label])
        }
      }
    }
    return [
      each("spangate_requests_total", "Export requests that began.", \.requests),
      each("spangate_request_bytes_total", "Bytes of their bodies, as sent.", \.bytes),
      each("spangate_spans_accepted_total", "Spans acknowledged.", \.spansAccepted),
      Metric(
        "spangate_spans_rejected_total", .counter,
        help: "Spans left out of accepted requests, by reason.",
        samples: byReason { $0.spansRejected }),
      each(
        "spangate_log_records_accepted_total", "Log records acknowledged as traffic or events.",
        \.logRecordsAccepted),
      Metric(
        "spangate_log_records_rejected_total", .counter,
        help: "Log records of access logs left out of accepted requests, by reason.",
        samples: byReason { $0.logRecordsRejected }),
      Metric(
        "spangate_log_records_ignored_total", .counter,
        help: "Log records accepted that are none of an access log, by reason.",
        samples: transports.flatMap { transport, counters in
          IgnoredLog.allCases.map { reason in
            Metric.Sample(
              Double(counters.logRecordsIgnored[reason] ?? 0),
              labels: ["transport": transport, "reason": reason.label])
          }
        }),
      each(
        "spangate_requests_refused_total", "Requests told to try again.", \.requestsRefused),
      each("spangate_requests_bad_total", "Requests refused for good.", \.requestsBad),
      each(
        "spangate_requests_abandoned_total", "Requests given up by their sender.",
        \.requestsAbandoned),
      Metric(
        "spangate_connections_open", .gauge, help: "Connections open now.",
        value: Double(counters.connectionsOpen)),
      Metric(
        "spangate_connections_total", .counter, help: "Connections accepted.",
        value: Double(counters.connectionsAccepted)),
      Metric(
        "spangate_http2_protections_total", .counter,
        help: "HTTP/2 connections, or streams of one, ended for the good of all others, by reason.",
        samples: HTTP2Protection.allCases.map {
          Metric.Sample(Double(counters.protections[$0] ?? 0), labels: ["reason": $0.rawValue])
        }),
    ]
  }

  private static func refused(_ engine: Engine) -> [Metric] {
    let refusals = engine.pipeline.refusals
    let samples = [
      ("memory", refusals.memory.load(ordering: .relaxed)),
      ("backlog", refusals.backlog.load(ordering: .relaxed)),
      ("journal", refusals.journal.load(ordering: .relaxed)),
    ].map { reason, count in Metric.Sample(Double(count), labels: ["reason": reason]) }
    return [
      Metric(
        "spangate_admission_refused_total", .counter,
        help: "Well-formed requests refused for now, by what was short.", samples: samples),
      events(engine.pipeline.events),
    ]
  }

  private static func events(_ events: EventMarkers) -> Metric {
    let samples = [
      ("taken", events.taken.load(ordering: .relaxed)),
      ("ignored", events.ignored.load(ordering: .relaxed)),
      ("unreadable", events.unreadable.load(ordering: .relaxed)),
    ].map { outcome, count in Metric.Sample(Double(count), labels: ["outcome": outcome]) }
    return Metric(
      "spangate_kubernetes_events_total", .counter,
      help: "Events of Kubernetes among log records, by what became of them.", samples: samples)
  }

  private static func overflowed(_ names: NameTable) -> [Metric] {
    let overflows = names.overflows
    return [
      Metric(
        "spangate_names_overflowed_total", .counter,
        help: "Names summed under __overflow__, by the limit that was reached.",
        samples: NameKind.allCases.map {
          .init(Double(overflows[$0] ?? 0), labels: ["limit": NameLimits.label(of: $0)])
        }),
      Metric(
        "spangate_names", .gauge, help: "Names held in memory.", value: Double(names.count)),
    ]
  }

  /// Of the shards and the journal. When the gateway is stopping they no longer answer: then these
  /// are left out.
  private static func held(_ engine: Engine) async -> [Metric] {
    var sum = ShardFigures(
      counters: ShardCounters(), traceCount: 0, bytes: 0, sealedSeriesCount: 0)
    let journal: JournalStatistics
    do {
      for shard in engine.shards {
        let figures = try await shard.figures()
        sum.counters.add(figures.counters)
        sum.traceCount += figures.traceCount
        sum.bytes += figures.bytes
        sum.sealedSeriesCount += figures.sealedSeriesCount
        sum.candidateBytes += figures.candidateBytes
        sum.candidatesDropped &+= figures.candidatesDropped
      }
      journal = try await engine.commits.statistics()
    } catch {
      return []
    }
    return shardMetrics(sum) + exemplarMetrics(engine.exemplars.figures, sum)
      + journalMetrics(journal)
  }

  private static func shardMetrics(_ figures: ShardFigures) -> [Metric] {
    let counters = figures.counters
    func counter(_ name: String, _ help: String, _ value: UInt64) -> Metric {
      Metric(name, .counter, help: help, value: Double(value))
    }
    return [
      counter(
        "spangate_spans_folded_total",
        "Spans, and records of traffic and of links, folded into traces.",
        counters.spans),
      counter("spangate_spans_late_total", "Those whose trace was sealed.", counters.late),
      counter("spangate_spans_duplicate_total", "Those sent more than once.", counters.duplicates),
      counter(
        "spangate_spans_analysed_total",
        "Spans analysed, each as often as its trace was looked at or taken back.",
        counters.spansAnalysed),
      counter("spangate_traces_closed_total", "Times a trace was closed.", counters.tracesClosed),
      counter("spangate_traces_sealed_total", "Traces sealed.", counters.tracesSealed),
      counter(
        "spangate_traces_full_total", "Traces sealed at limits.spans_per_trace.",
        counters.tracesFull),
      counter(
        "spangate_traces_sealed_for_memory_total", "Traces sealed early because of limits.memory.",
        counters.tracesSealedForMemory),
      Metric(
        "spangate_spans_skewed_total", .counter,
        help: "Spans at odds with their callers' clocks: adjusted, or over traces.clock_skew.",
        samples: [
          .init(Double(counters.skewAdjusted), labels: ["outcome": "adjusted"]),
          .init(Double(counters.skewOverLimit), labels: ["outcome": "over_limit"]),
        ]),
      Metric(
        "spangate_paths_overflowed_total", .counter,
        help: "Steps of critical paths, and calls of operations, summed under __overflow__.",
        samples: [
          .init(Double(counters.pathsOverflowed), labels: ["limit": "paths_per_entry_point"]),
          .init(Double(counters.callsOverflowed), labels: ["limit": "calls_per_operation"]),
        ]),
      Metric(
        "spangate_traces_held", .gauge, help: "Traces open or remembered.",
        value: Double(figures.traceCount)),
      Metric(
        "spangate_trace_bytes_held", .gauge, help: "Memory they take.",
        value: Double(figures.bytes)),
      Metric(
        "spangate_series_waiting", .gauge, help: "Series of sealed sums not yet in the store.",
        value: Double(figures.sealedSeriesCount)),
    ]
  }

  private static func exemplarMetrics(
    _ kept: ExemplarStore.Figures, _ shards: ShardFigures
  ) -> [Metric] {
    [
      Metric(
        "spangate_exemplar_traces", .gauge, help: "Traces kept as examples, with their spans.",
        value: Double(kept.traces)),
      Metric(
        "spangate_exemplar_bytes", .gauge,
        help: "Memory they take, with those of which it is not known yet.",
        value: Double(kept.bytes + shards.candidateBytes)),
      Metric(
        "spangate_exemplar_traces_evicted_total", .counter,
        help: "Traces that were examples and made room for others.",
        value: Double(kept.evicted &+ shards.candidatesDropped)),
    ]
  }

  private static func journalMetrics(_ journal: JournalStatistics) -> [Metric] {
    [
      Metric(
        "spangate_journal_bytes", .gauge, help: "Size of the journal.",
        value: Double(journal.bytes)),
      Metric(
        "spangate_journal_segments", .gauge, help: "Its files.", value: Double(journal.segments)),
      Metric(
        "spangate_journal_skipped_records_total", .counter,
        help: "Damaged records passed over at start.", value: Double(journal.skippedRecords)),
      Metric(
        "spangate_journal_failed_commits_total", .counter,
        help: "Groups that could not be made durable.", value: Double(journal.failedCommits)),
    ]
  }
}
