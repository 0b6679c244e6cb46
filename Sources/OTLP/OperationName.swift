// What a span's work is called: by its name, and by what its attributes say where the name says nothing.

extension AttributeSlots {
  /// Appends the name of an operation; nothing where nothing names it.
  /// - Source: OpenTelemetry semantic conventions: a span of GraphQL is called by the type of its operation
  ///   alone, or `GraphQL Operation`, where instrumentations keep names that clients choose out of it;
  ///   `rpc.method` is a method's full name, before 1.39 only its own beside `rpc.service`.
  func appendOperation(of spanName: UnsafeRawBufferPointer, to name: inout NameText) {
    if has(.graphQLOperationName, or: .graphQLOperationType), unsafe saysLittle(spanName) {
      let type = unsafe self[.graphQLOperationType].text
      let own = unsafe self[.graphQLOperationName].text
      if let type = unsafe type { unsafe name.append(type) }
      if unsafe type != nil, unsafe own != nil { name.append(" ") }
      if let own = unsafe own { unsafe name.append(own) }
      if !name.bytes.isEmpty { return }
    }
    guard unsafe spanName.isEmpty else { return unsafe name.append(spanName) }
    if let method = unsafe self[.rpcMethod].text {
      if let service = unsafe self[.rpcService].text,
        unsafe method.position(of: UInt8(ascii: "/")) == nil
      {
        unsafe name.append(service)
        name.append("/")
      }
      return unsafe name.append(method)
    }
    if let operation = unsafe self[.generativeOperation].text { unsafe name.append(operation) }
  }

  /// The name of a span of GraphQL that does not tell one operation from another.
  private func saysLittle(_ spanName: UnsafeRawBufferPointer) -> Bool {
    if unsafe spanName.isEmpty || spanName.equals("GraphQL Operation") { return true }
    guard let type = unsafe self[.graphQLOperationType].text, spanName.count == type.count else {
      return false
    }
    return unsafe spanName.equals(Array(type))
  }
}
