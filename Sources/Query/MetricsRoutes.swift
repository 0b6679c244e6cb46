import Hummingbird
/// The route Prometheus scrapes.
enum MetricsRoutes {
  static func metrics(
    _ edges: EdgeMetrics, _ requests: RequestCounters, _ webhooks: WebhookCounters
  ) -> Route {
    Route(
      method: .get, path: "/metrics",
      summary:
        "Metrics for Prometheus: the service graph as Tempo names it, and the gateway's own.",
      answers: [.metrics]
    ) { call in
      let snapshot = await call.backend.metrics()
      var text = MetricsText()
      edges.write(snapshot, to: &text)
      for metric in snapshot.metrics { text.metric(metric) }
      text.metric(requests.metric)
      text.metric(webhooks.metric)
      return Answer(.metrics, text.text)
    }
  }
}
