import Model

/// Reads what requests are told apart by: the cluster, and the attributes users chose. The text it
/// writes is that of `Dimensions`.
@safe struct DimensionReader {
  /// Without repeats, in the order of `Dimensions`.
  private let keys: [String]
  /// Where the cluster's is among them.
  private let cluster: Int
  private var resource: ChosenAttributes
  /// Those of the span: none where users chose none, because clusters are resources'.
  private var span: ChosenAttributes
  /// What the resource says, cleaned: parallel to `keys`, empty where it says nothing.
  private var values: [[UInt8]]
  /// The value that is being read.
  private var part: NameText

  init(chosen: [String], _ redaction: Redaction) {
    part = NameText(redaction)
    keys = Set(chosen.prefix(DecodeRules.dimensionAttributesMax) + [Dimensions.cluster]).sorted()
    cluster = keys.firstIndex(of: Dimensions.cluster) ?? 0
    resource = ChosenAttributes(keys)
    span = ChosenAttributes(keys.count > 1 ? keys : [])
    values = Array(repeating: [], count: keys.count)
  }

  mutating func beginResource() { resource.removeAll() }

  @inline(__always)
  mutating func noteOfResource(_ key: UnsafeRawBufferPointer, _ value: AttributeValue) {
    unsafe resource.note(key, value)
  }

  /// Writes the text of the resource's dimensions; empty where it has none.
  mutating func endResource(into name: inout NameText) {
    for index in keys.indices {
      name.removeAll()
      name.append(resource[index])
      values[index] = name.bytes
    }
    name.removeAll()
    for index in keys.indices { append(values[index], ofKey: index, to: &name) }
  }

  mutating func beginSpan() { span.removeAll() }

  @inline(__always)
  mutating func noteOfSpan(_ key: UnsafeRawBufferPointer, _ value: AttributeValue) {
    unsafe span.note(key, value)
  }

  /// Writes the text of the dimensions of a span that says something of its own, which wins.
  /// - Parameter meshCluster: the cluster by the span, used where the resource names none.
  /// - Returns: false for a span that says nothing: it has its resource's.
  mutating func endSpan(meshCluster: UnsafeRawBufferPointer?, into name: inout NameText) -> Bool {
    if unsafe span.isEmpty && meshCluster == nil { return false }
    name.removeAll()
    for index in keys.indices {
      part.removeAll()
      if index != cluster {
        part.append(span[index])
      } else if values[index].isEmpty, let meshCluster = unsafe meshCluster {
        unsafe part.append(meshCluster)
      }
      append(part.bytes.isEmpty ? values[index] : part.bytes, ofKey: index, to: &name)
    }
    return true
  }

  private func append(_ value: [UInt8], ofKey index: Int, to name: inout NameText) {
    guard !value.isEmpty else { return }
    if !name.bytes.isEmpty { name.appendSeparator() }
    name.append(Array(keys[index].utf8))
    name.append([UInt8(ascii: "=")])
    name.append(value)
  }
}

extension AttributeSlots {
  /// The cluster a mesh's proxy says it is in. `Kubernetes` is what Istio calls one nobody named.
  var meshCluster: UnsafeRawBufferPointer? {
    guard has(.istioCluster), let cluster = unsafe said(.istioCluster),
      unsafe !cluster.equals("Kubernetes")
    else { return nil }
    return unsafe cluster
  }
}
