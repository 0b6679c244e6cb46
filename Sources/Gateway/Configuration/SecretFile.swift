import Foundation
import Markers

/// A file that is to hold a secret does not.
struct UnreadableSecret: Error, CustomStringConvertible {
  var description: String
}

extension WebhookSecret {
  private static let fileBytesMax = 4_096

  /// What the file holds, without the line break at its end.
  init(file: String, of source: WebhookSource) throws {
    let key = "webhooks.\(source.configurationName).secret_file"
    guard let data = FileManager.default.contents(atPath: file) else {
      throw UnreadableSecret(description: "\(key): the file \(file) cannot be read")
    }
    let text = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .newlines)
    guard data.count <= WebhookSecret.fileBytesMax, let secret = WebhookSecret(text) else {
      throw UnreadableSecret(
        description: "\(key): the file \(file) must hold 1 to \(WebhookSecret.fileBytesMax) bytes")
    }
    self = secret
  }
}
