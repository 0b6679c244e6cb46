/// The bytes of one HTTP/2 frame, made by hand.
public func frame(
  type: UInt8, flags: UInt8 = 0, stream: UInt32 = 0, _ payload: [UInt8] = []
) -> [UInt8] {
  let length = payload.count
  return [
    UInt8(length >> 16 & 255), UInt8(length >> 8 & 255), UInt8(length & 255), type, flags,
    UInt8(stream >> 24 & 255), UInt8(stream >> 16 & 255), UInt8(stream >> 8 & 255),
    UInt8(stream & 255),
  ] + payload
}

/// What a client's side of a connection begins with.
public let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
