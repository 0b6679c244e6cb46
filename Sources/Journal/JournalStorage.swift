/// The few things the journal asks of a file system. Behind a protocol, so that tests can let each
/// of them fail.
protocol JournalStorage: Sendable {
  /// Makes a directory, if there is none of that name.
  func makeDirectory(_ path: String) throws(SystemError)
  /// Opens and locks a file for this process alone; `EWOULDBLOCK` when another has it.
  func lock(_ path: String) throws(SystemError) -> Int32
  /// The names of a directory's entries, in any order.
  func list(_ directory: String) throws(SystemError) -> [String]
  /// The first `bytesMax` bytes of a file, or all it has.
  func read(_ path: String, bytesMax: Int) throws(SystemError) -> [UInt8]
  func size(_ path: String) throws(SystemError) -> Int
  /// Makes a file that must not exist, for appending.
  func create(_ path: String) throws(SystemError) -> Int32
  /// Returns how many bytes were taken: at least one.
  func write(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) throws(SystemError) -> Int
  func syncData(_ descriptor: Int32) throws(SystemError)
  func syncDirectory(_ path: String) throws(SystemError)
  /// Cuts a file to a length, durably, through a descriptor of its own.
  func truncate(_ path: String, to length: Int) throws(SystemError)
  /// Deletes a file; one that does not exist is no error.
  func remove(_ path: String) throws(SystemError)
  func close(_ descriptor: Int32)
}
