import Graph
import Impact
import Model

/// The answer about shifts.
struct ShiftsDocument {
  let start: Nanos
  let end: Nanos
  let historyStart: Nanos
  let width: Nanos
  let shifts: Shifts
  let names: [NameID: Name]
  let markers: [Marker]

  var json: JSONText {
    var json = JSONText()
    json.object { json in
      json.member("start", Timestamp.text(start))
      json.member("end", Timestamp.text(end))
      json.member("history_start", Timestamp.text(historyStart))
      json.member("window_seconds", Double(width) / Double(Nanos.second) as Double?)
      json.member("series", UInt64(shifts.seriesCount))
      json.member("false_alarm_rate", Shifts.alpha as Double?)
      json.key("shifts")
      json.array(shifts.shifts) { json, shift in write(shift, &json) }
    }
    return json
  }

  private func write(_ shift: LevelShift, _ json: inout JSONText) {
    json.object { json in
      json.member("metric", shift.metric.rawValue)
      write("service", shift.place.node, &json)
      write("other", shift.place.other, &json)
      let part = names[shift.place.part]
      json.key("operation")
      if let part, part.kind == .operation { json.string(part.text) } else { json.null() }
      json.key("version")
      if let part, part.kind == .version { json.string(part.text) } else { json.null() }
      json.member("onset", Timestamp.text(time(shift.onset)))
      json.member("onset_earliest", Timestamp.text(time(shift.onsetEarliest)))
      json.member("onset_latest", Timestamp.text(time(shift.onsetLatest + 1)))
      json.key("ended")
      if let ended = shift.ended { json.string(Timestamp.text(time(ended))) } else { json.null() }
      json.member("before", shift.before as Double?)
      json.member("after", shift.after as Double?)
      json.key(shift.metric.isRatio ? "ratio" : "difference")
      json.number(shift.size)
      json.key("interval")
      json.array([shift.sizeLower, shift.sizeUpper]) { json, bound in json.number(bound) }
      json.member("deviation", shift.deviation as Double?)
      json.member("worse", shift.isWorse)
      json.key("explained_by")
      if let cause = shift.explanation { json.string(cause.rawValue) } else { json.null() }
      json.key("origin")
      if let origin = shift.origin {
        json.object { json in
          json.member("kind", origin.kind.rawValue)
          write("service", origin.node, &json)
        }
      } else {
        json.null()
      }
      json.key("marker")
      if let marker = marker(of: shift) { json.string("\(marker.id)") } else { json.null() }
    }
  }

  private func write(_ key: String, _ id: NameID, _ json: inout JSONText) {
    json.key(key)
    if let label = names[id].flatMap(NodeLabel.id) ?? names[id]?.text {
      json.string(label)
    } else {
      json.null()
    }
  }

  private func time(_ window: Int) -> Nanos { historyStart + Nanos(window) * width }

  /// Of the changes to the service, or to the other end, the one nearest to the onset: none that came after
  /// it, as far as anybody can tell.
  private func marker(of shift: LevelShift) -> Marker? {
    let onset = time(shift.onset)
    let latest = time(shift.onsetLatest + 1)
    let earliest = time(shift.onsetEarliest).saturatingSubtracting(CauseRoutes.markerBeforeNanos)
    let ends = [shift.place.node, shift.place.other].compactMap { names[$0] }.map {
      NodeIdentity(text: $0.text)
    }
    return markers.filter { marker in
      !marker.service.isEmpty && marker.time >= earliest && marker.time <= latest
        && ends.contains { marker.concerns($0) }
    }.min {
      let first = max($0.time, onset) - min($0.time, onset)
      let second = max($1.time, onset) - min($1.time, onset)
      return first != second ? first < second : $0.id < $1.id
    }
  }
}
