import Foundation
import Graph
import HummingbirdTesting
import Model
import Testing

@testable import Query

@Suite struct ShiftRoutesTests {
  /// A service of the shop that takes three times as long from the range's begin on, and one that does
  /// not, in windows of ten seconds.
  private func fixture() -> QueryFixture {
    let fixture = QueryFixture()
    fixture.backend.state.withLock { state in
      let checkout = state.node("checkout", namespace: "shop")
      let other = state.node("elsewhere", environment: "test")
      func windows(_ count: Int, _ milliseconds: Nanos) -> [Window] {
        (0..<count).map { position in
          var window = Window()
          for (node, time) in [(checkout, milliseconds), (other, 10)] {
            for request in 0..<20 {
              let time = (time + Nanos(position % 3) + Nanos(request % 2)) * .millisecond
              var finding = Finding(window: 0, key: .node(node), latency: time, ownTime: time)
              finding.counters[.requests] = 1
              finding.counters[.requestsAdjusted] = 256
              window.add(finding)
            }
          }
          return window
        }
      }
      state.baseWindows = windows(60, 10)
      state.currentWindows = windows(30, 30)
    }
    return fixture
  }

  /// Scenario: a service gets slower when the range begins; somebody told of a deployment just before.
  /// Guarantees: one shift with its place, onset, size, origin and the deployment; the history read is
  /// echoed.
  @Test func shift() async throws {
    let fixture = fixture()
    let posted = try await fixture.ask(
      "/api/v1/markers", .post,
      body: #"{"kind":"deployment","service":"checkout","version":"v2","time":1789999970}"#)
    let marker = try #require(try posted.json()["id"] as? String)
    let answer = try await fixture.ask("/api/v1/shifts?start=1789999980&end=1790000280")
    #expect(answer.status == .ok)
    let json = try answer.json()
    #expect(json["history_start"] as? String == Timestamp.text((1_789_999_980 - 2_700) * .second))
    #expect(json["false_alarm_rate"] as? Double == 0.01)
    let shifts = try #require(json["shifts"] as? [[String: Any]])
    let shift = try #require(shifts.first)
    #expect(shifts.count == 1 && shift["service"] as? String == "shop/checkout")
    #expect(shift["metric"] as? String == "self_time_ms" && shift["worse"] as? Bool == true)
    // The fixture's base has 60 windows whatever was asked for.
    #expect(shift["onset"] as? String == Timestamp.text((1_789_999_980 - 2_700 + 600) * .second))
    #expect((shift["ratio"] as? Double).map { 2.5 < $0 && $0 < 3 } == true)
    #expect((shift["interval"] as? [Double])?.count == 2 && shift["difference"] == nil)
    #expect(shift["explained_by"] is NSNull && shift["ended"] is NSNull)
    let origin = try #require(shift["origin"] as? [String: Any])
    #expect(origin["service"] as? String == "shop/checkout")
    #expect(origin["kind"] as? String == "self_time")
    // Its marker lies an imagined half hour after the onset.
    #expect(shift["marker"] is NSNull && !marker.isEmpty)
  }

  /// Scenario: only one service; only one environment; a service nobody knows; a misspelt parameter.
  /// Guarantees: only what was asked for; the unknown is named, with what is spelled alike.
  @Test func parameters() async throws {
    let fixture = fixture()
    func places(_ query: String) async throws -> [String] {
      let json = try await fixture.ask("/api/v1/shifts?\(query)").json()
      return try #require(json["shifts"] as? [[String: Any]]).compactMap {
        $0["service"] as? String
      }
    }
    #expect(try await places("service=shop/checkout") == ["shop/checkout"])
    #expect(try await places("service=elsewhere").isEmpty)
    #expect(try await places("environment=test").isEmpty)
    let unknown = try await fixture.ask("/api/v1/shifts?service=chekout")
    #expect(unknown.status == .notFound || unknown.status == .badRequest)
    #expect(String(buffer: unknown.body).contains("checkout"))
    let misspelt = try await fixture.ask("/api/v1/shifts?servce=x")
    #expect(misspelt.status == .badRequest)
  }

  /// Scenario: a range of fifteen minutes.
  /// Guarantees: the three quarters of an hour before are read with it, and the same time of six days
  /// before in windows of ten minutes.
  @Test func ranges() async throws {
    let fixture = fixture()
    _ = try await fixture.ask("/api/v1/shifts?start=1789999800&end=1790000700")
    let asked = fixture.backend.state.withLock(\.asked)
    let start = 1_789_999_800 * Nanos.second
    #expect(asked.first == start - 45 * .minute..<start)
    #expect(asked.dropFirst().first == start..<1_790_000_700 * Nanos.second)
  }
}
