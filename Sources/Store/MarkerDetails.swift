internal import Foundation
internal import Model

/// What of a marker nothing is looked up by, as the column `details` holds it: JSON.
struct MarkerDetails: Codable {
  struct Scaling: Codable {
    var from: Int?
    var to: Int
    var reason: String?
  }

  /// One value as JSON knows it.
  struct Attribute: Codable {
    var value: MarkerAttribute

    init(_ value: MarkerAttribute) { self.value = value }

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let value = try? container.decode(Bool.self) {
        self.value = .boolean(value)
      } else if let value = try? container.decode(Int64.self) {
        self.value = .integer(value)
      } else if let value = try? container.decode(Double.self) {
        self.value = .number(value)
      } else {
        value = .text(try container.decode(String.self))
      }
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      switch value {
      case .text(let value): try container.encode(value)
      case .integer(let value): try container.encode(value)
      case .number(let value): try container.encode(value)
      case .boolean(let value): try container.encode(value)
      }
    }
  }

  var previousVersion: String?
  var scaling: Scaling?
  var source: String?
  var url: String?
  var attributes: [String: Attribute]?

  init(_ marker: Marker) {
    previousVersion = marker.previousVersion.nilWhenEmpty
    scaling = marker.scaling.map {
      Scaling(from: $0.from, to: $0.to, reason: $0.reason.nilWhenEmpty)
    }
    source = marker.source.nilWhenEmpty
    url = marker.url.nilWhenEmpty
    if !marker.attributes.isEmpty { attributes = marker.attributes.mapValues(Attribute.init) }
  }

  func text() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(self), as: UTF8.self)
  }

  static func read(_ text: String, of id: MarkerID) throws -> MarkerDetails {
    do {
      return try JSONDecoder().decode(MarkerDetails.self, from: Data(text.utf8))
    } catch {
      throw DamagedTile(what: "the details of marker \(id) cannot be read")
    }
  }
}

extension String {
  fileprivate var nilWhenEmpty: String? { isEmpty ? nil : self }
}
