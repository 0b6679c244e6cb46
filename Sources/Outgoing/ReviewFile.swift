import Foundation

/// The reviews that wait, in one file beside the store.
public struct ReviewFile: Sendable {
  private let path: String
  /// The most reviews that may wait take less.
  private static let bytesMax = 16 << 20

  public init(directory: String) { path = directory + "/github-reviews.json" }

  /// Replaces what was kept. It outlives the process when this returns, and the machine shortly
  /// after: a review that is lost with the machine can be asked for again on GitHub's page.
  public func write(_ queue: ReviewQueue) throws {
    try JSONEncoder().encode(queue.kept).write(to: URL(filePath: path), options: .atomic)
  }

  /// - Errors: what keeps a file that is there from being read.
  public func restore(_ queue: inout ReviewQueue) throws {
    guard FileManager.default.fileExists(atPath: path) else { return }
    let file = try FileHandle(forReadingFrom: URL(filePath: path))
    defer { try? file.close() }
    let data = try file.read(upToCount: ReviewFile.bytesMax) ?? Data()
    queue.restore(try JSONDecoder().decode([ReviewQueue.Pending].self, from: data))
  }
}
