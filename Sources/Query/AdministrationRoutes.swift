import Access
import Hummingbird
import Graph
import Model

/// The routes for those who run the gateway.
enum AdministrationRoutes {
  static let all = [flush, alive, ready]

  static let flush = Route(
    method: .post, path: "/api/v1/admin/flush",
    summary: "Closes every open trace now; answers when the results can be queried.",
    answers: [.json], schema: "Flushed", needs: .admin
  ) { call in
    try call.parameters.finish()
    try await call.backend.flush()
    var json = JSONText()
    json.object {
      $0.member("flushed", true)
      $0.member("time", Timestamp.text(call.backend.now))
    }
    return Answer(.json, json.bytes)
  }

  static let alive = Route(
    method: .get, path: "/livez", summary: "The process runs.", answers: [.text], needs: nil
  ) { _ in
    Answer(.text, "ok\n")
  }

  static let ready = Route(
    method: .get, path: "/readyz",
    summary: "Spans are received and queries are answered; 503 with the reason until then.",
    answers: [.text], needs: nil
  ) { call in
    switch call.backend.readiness {
    case .ready: return Answer(.text, "ready\n")
    case .notReady(let reason): throw QueryProblem.notReady(reason)
    }
  }
}
