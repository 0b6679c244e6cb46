import ArgumentParser
import Foundation
import Gateway
import Journal
import Model

struct JournalCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "journal", abstract: "Looks into the journal of a gateway.",
    subcommands: [Dump.self])

  struct Dump: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "dump", abstract: "Prints what the journal holds, a line a span.",
      discussion: "The gateway may be running: what was written so far is shown.")

    @Option(help: ArgumentHelp("The gateway's store.path, or the journal.", valueName: "directory"))
    var path = Configuration().store.path
    @Option(help: "table or json (one object a line).") var format = PlainFormat.table

    func run() throws {
      let context = CommandContext.current
      let directory = try JournalCommand.directory(path)
      var listing = JournalListing(format)
      context.print(listing.header)
      let summary: JournalReadSummary
      do {
        summary = try JournalReader.read(directory: directory, from: 0) { record in
          context.print(listing.lines(of: record))
        }
      } catch {
        throw CommandFailure(.failed, "\(error)")
      }
      context.fail(JournalListing.text(of: summary) + "\n")
    }
  }

  /// The journal is a directory inside the store's.
  static func directory(_ path: String) throws(CommandFailure) -> String {
    for candidate in [path + "/journal", path] {
      var isDirectory: ObjCBool = false
      let exists = unsafe FileManager.default.fileExists(
        atPath: candidate, isDirectory: &isDirectory)
      do throws(JournalError) {
        if exists, isDirectory.boolValue, try JournalReader.isJournal(candidate) {
          return candidate
        }
      } catch {
        throw CommandFailure(.failed, error.message)
      }
    }
    throw CommandFailure(
      .failed,
      "there is no journal at \(path); name the gateway's store.path with --path (with "
        + "journal.durability none it writes no journal)")
  }
}
