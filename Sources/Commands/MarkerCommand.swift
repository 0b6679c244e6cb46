import ArgumentParser

struct MarkerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "marker", abstract: "Announces changes to a gateway, and shows them.",
    subcommands: [
      PostMarkerCommand.self, ListMarkersCommand.self, ShowMarkerCommand.self,
      DeleteMarkerCommand.self,
    ])

  /// Where markers are.
  static let path = "/api/v1/markers"

  /// The address of one marker. An id that is a path of its own would ask for something else.
  static func path(of id: String) throws(CommandFailure) -> String {
    let isPlain = id.utf8.allSatisfy { byte in
      byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
    guard isPlain, !id.isEmpty else {
      throw CommandFailure(
        .usage,
        "'\(PlainTable.printable(id))' is no id of a marker: those are mk_ and 16 hexadecimal "
          + "digits")
    }
    return "\(path)/\(id)"
  }
}
