import Hummingbird
/// The route Prometheus scrapes.
enum MetricsRoutes {
  static func metrics(
    _ edges: EdgeMetrics, _ requests: RequestCounters, _ webhooks: WebhookCounters
  ) -> Route {
    Route(
      method: .get, path: "/metrics",
      summary:
        "Metrics for Prometheus: the service graph as Tempo names it, and the gateway's own. With "
        + "exemplars for whoever accepts OpenMetrics.",
      answers: [.metrics, .openMetrics]
    ) { call in
      let snapshot = await call.backend.metrics()
      let isOpenMetrics = AcceptedTypes(call.accept).prefersOpenMetrics
      var text = MetricsText(isOpenMetrics ? .openMetrics : .plain)
      edges.write(snapshot, to: &text)
      for metric in snapshot.metrics { text.metric(metric) }
      text.metric(requests.metric)
      text.metric(webhooks.metric)
      text.finish()
      return Answer(isOpenMetrics ? .openMetrics : .metrics, text.text)
    }
  }
}
