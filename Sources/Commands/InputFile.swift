import Foundation

/// Reads files named on the command line.
enum InputFile {
  /// The whole file, or standard input when the name is `-`.
  /// - Errors: `CommandFailure` of kind failed that names the file and what to do.
  static func read(
    _ name: String, bytesMax: Int, in context: CommandContext
  ) throws(CommandFailure) -> [UInt8] {
    let bytes: [UInt8]
    do {
      if name == "-" {
        bytes = try context.readInput(bytesMax)
      } else {
        guard let file = FileHandle(forReadingAtPath: name) else {
          throw CommandFailure(
            .failed, "\(name) cannot be read; check that it exists and is readable")
        }
        bytes = [UInt8](try file.read(upToCount: bytesMax + 1) ?? Data())
      }
    } catch let failure as CommandFailure {
      throw failure
    } catch {
      throw CommandFailure(.failed, "\(name) cannot be read; check that it is a file")
    }
    guard bytes.count <= bytesMax else {
      throw CommandFailure(
        .failed, "\(name) is larger than \(bytesMax >> 20) MiB; split it and name the parts")
    }
    return bytes
  }
}
