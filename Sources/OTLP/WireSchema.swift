import COTLP
import CProtobufC

/// How a field's value is laid out on the wire.
/// - Source: protobuf.dev/programming-guides/encoding, "Message Structure".
enum WireType: UInt8, Sendable {
  case varint = 0
  case fixed64 = 1
  case lengthDelimited = 2
  case groupStart = 3
  case groupEnd = 4
  case fixed32 = 5
}

/// What the pre-scan knows of the messages in a request: which fields hold messages, and what each
/// costs once unpacked.
///
/// Read once from the descriptors of the generated code, so that the two cannot disagree.
struct WireSchema: Sendable {
  /// A message type, as an index into `messages`.
  typealias Row = Int

  struct Field: Sendable {
    var wireType = WireType.varint
    var isKnown = false
    /// The message type of a sub-message; 0 (the request itself is nobody's part) for other fields.
    var child: UInt8 = 0
    /// What one element of a repeated field takes in its array; 0 where the field is not repeated.
    var elementBytes: UInt8 = 0
    /// Sent twice, two sub-messages are merged.
    var isMerged = false

    var isMessage: Bool { child != 0 }
  }

  struct Message: Sendable {
    /// As in the definitions, without the package.
    var name: String
    /// The size of the generated struct.
    var bytes: Int
  }

  static let request = traces()
  static let logs = logsRequest()

  private(set) var messages: [Message] = []
  /// `fieldNumbersMax` fields for each message.
  private var fields: [Field] = []
  /// The message that limits count: Span, or LogRecord.
  private(set) var spanRow: Row = 0
  /// −1 where nothing has a field of old.
  private(set) var resourceSpansRow: Row = -1

  static let requestRow: Row = 0
  /// No message of ours has a field with this number or a higher one.
  static let fieldNumbersMax: UInt32 = 32
  /// The field of ResourceSpans that once held InstrumentationLibrarySpans; its field 2 the spans.
  static let legacyField: UInt32 = 1000
  static let legacySpansField: UInt32 = 2

  @inline(__always)
  func field(_ number: UInt32, of row: Row) -> Field {
    guard number < WireSchema.fieldNumbersMax else { return Field() }
    return fields[row &* Int(WireSchema.fieldNumbersMax) &+ Int(number)]
  }

  private static func traces() -> WireSchema {
    var request = unsafe Opentelemetry__Proto__Collector__Trace__V1__ExportTraceServiceRequest()
    unsafe opentelemetry__proto__collector__trace__v1__export_trace_service_request__init(&request)
    return unsafe WireSchema(request.base.descriptor)
  }

  private static func logsRequest() -> WireSchema {
    var request = unsafe Opentelemetry__Proto__Collector__Logs__V1__ExportLogsServiceRequest()
    unsafe opentelemetry__proto__collector__logs__v1__export_logs_service_request__init(&request)
    return unsafe WireSchema(request.base.descriptor)
  }

  private init(_ request: UnsafePointer<ProtobufCMessageDescriptor>?) {
    var descriptors = unsafe [request]
    var row = 0
    // The list grows while it is walked: each message type is added when a field first names it.
    while unsafe row < descriptors.count {
      if let descriptor = unsafe descriptors[row] { unsafe add(descriptor, row, &descriptors) }
      row += 1
    }
  }

  private mutating func add(
    _ descriptor: UnsafePointer<ProtobufCMessageDescriptor>, _ row: Row,
    _ descriptors: inout [UnsafePointer<ProtobufCMessageDescriptor>?]
  ) {
    let name = unsafe String(cString: descriptor.pointee.short_name)
    unsafe messages.append(Message(name: name, bytes: descriptor.pointee.sizeof_message))
    if name == "Span" || name == "LogRecord" { spanRow = row }
    if name == "ResourceSpans" { resourceSpansRow = row }
    var row = [Field](repeating: Field(), count: Int(WireSchema.fieldNumbersMax))
    for index in 0..<Int(unsafe descriptor.pointee.n_fields) {
      let field = unsafe descriptor.pointee.fields[index]
      unsafe precondition(
        field.id < WireSchema.fieldNumbersMax, "the table of fields is too narrow for \(name)")
      row[Int(unsafe field.id)] = unsafe WireSchema.field(field, &descriptors)
    }
    fields += row
  }

  private static func field(
    _ description: ProtobufCFieldDescriptor,
    _ descriptors: inout [UnsafePointer<ProtobufCMessageDescriptor>?]
  ) -> Field {
    var field = Field(wireType: unsafe wireType(description.type), isKnown: true)
    let isRepeated = unsafe description.label == PROTOBUF_C_LABEL_REPEATED
    if unsafe description.type == PROTOBUF_C_TYPE_MESSAGE {
      let child = unsafe description.descriptor?.assumingMemoryBound(
        to: ProtobufCMessageDescriptor.self)
      if unsafe !descriptors.contains(child) { unsafe descriptors.append(child) }
      field.child = UInt8(unsafe descriptors.firstIndex(of: child) ?? 0)
      let isOneof = unsafe description.flags & PROTOBUF_C_FIELD_FLAG_ONEOF.rawValue != 0
      field.isMerged = !isRepeated && !isOneof
    }
    if isRepeated {
      let pointerBytes = MemoryLayout<Int>.size
      field.elementBytes = UInt8(
        field.isMessage ? pointerBytes : unsafe MemoryLayout<ProtobufCBinaryData>.size)
    }
    return field
  }

  private static func wireType(_ type: ProtobufCType) -> WireType {
    switch type {
    case PROTOBUF_C_TYPE_FIXED64, PROTOBUF_C_TYPE_SFIXED64, PROTOBUF_C_TYPE_DOUBLE: .fixed64
    case PROTOBUF_C_TYPE_FIXED32, PROTOBUF_C_TYPE_SFIXED32, PROTOBUF_C_TYPE_FLOAT: .fixed32
    case PROTOBUF_C_TYPE_BYTES, PROTOBUF_C_TYPE_MESSAGE: .lengthDelimited
    default: .varint
    }
  }
}
