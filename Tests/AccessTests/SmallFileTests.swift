import Foundation
import Testing

@testable import Access

@Suite struct SmallFileTests {
  /// Scenario: files that others may and may not read, and what is no file to read.
  /// Guarantees: contents and who may read them; every failure has a reason in words.
  @Test func reading() throws {
    try withFolder { folder in
      let path = folder.path + "/key"
      try Data([1, 2, 3]).write(to: URL(filePath: path))
      try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
      var file = try SmallFile(reading: path)
      #expect(file.bytes == [1, 2, 3])
      #expect(!file.isReadableByOthers)
      try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
      file = try SmallFile(reading: path)
      #expect(file.isReadableByOthers)

      #expect(throws: UnreadableFile("no such file or directory")) {
        try SmallFile(reading: folder.path + "/none")
      }
      #expect(throws: UnreadableFile("it is no regular file")) {
        try SmallFile(reading: folder.path)
      }
      let pipe = folder.path + "/pipe"
      #expect(mkfifo(pipe, 0o600) == 0)
      #expect(throws: UnreadableFile("it is no regular file")) { try SmallFile(reading: pipe) }
      try Data(count: SmallFile.bytesMax + 1).write(to: URL(filePath: path))
      #expect(throws: UnreadableFile("it is larger than \(SmallFile.bytesMax) bytes")) {
        try SmallFile(reading: path)
      }
    }
  }
}
