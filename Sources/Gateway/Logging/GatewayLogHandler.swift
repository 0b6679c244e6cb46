public import Logging

// A log is read by a person at a terminal or by a machine in a pipe: one line an event either way,
// written with one write(2), so that lines of different threads never mix. What senders call
// themselves ends up in logs, so control characters never reach the terminal, and the same event
// again and again is thinned out, because a log that fills the disk is an outage of its own.

/// Writes the events of one logger to a `LogOutput`.
public struct GatewayLogHandler: LogHandler {
  public var logLevel: Logger.Level
  public var metadata: Logger.Metadata = [:]
  public var metadataProvider: Logger.MetadataProvider?

  private let label: String
  private let output: LogOutput

  public init(
    label: String, output: LogOutput, level: Logger.Level = .info,
    metadataProvider: Logger.MetadataProvider? = nil
  ) {
    self.label = label
    self.output = output
    self.logLevel = level
    self.metadataProvider = metadataProvider
  }

  public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  public func log(event: LogEvent) {
    var fields = metadata
    if let provided = metadataProvider?.get() { fields.merge(provided) { $1 } }
    if let given = event.metadata { fields.merge(given) { $1 } }
    if let error = event.error, fields["error"] == nil { fields["error"] = "\(error)" }
    output.write(
      LogLine(
        level: event.level, label: label, message: event.message.description, metadata: fields))
  }
}

extension Logger {
  /// The logger of a process: to standard error, in the format and from the level configured.
  public static func gateway(
    _ configuration: LogSection, label: String = "spangate", output: LogOutput? = nil
  ) -> Logger {
    let output = output ?? LogOutput.standardError(configuration.format)
    let level = Logger.Level(rawValue: configuration.level.rawValue) ?? .info
    return Logger(label: label) { label in
      GatewayLogHandler(label: label, output: output, level: level)
    }
  }
}
