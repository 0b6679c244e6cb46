/// Something about an accepted request that its sender should know.
enum DecodeWarning: Hashable, Sendable {
  /// A JSON body held only keys OTLP does not have; this is one of them.
  case unknownTopLevelKey(String)
  /// Attributes used the string table of the profiles signal, which traces do not have.
  case stringIndexFields
  /// A name was not valid UTF-8.
  case invalidText
}
