/// Which proxy of Istio's sent a span, from Envoy's tag `node_id`:
/// `sidecar~10.0.0.7~checkout-5f8d-x2x.shop~shop.svc.cluster.local`.
/// - Source: Istio, `pilot/pkg/model/context.go`, "ServiceNode": type, address, id, and domain,
///   divided by `~`; the id is the pod's name and its namespace.
@safe struct MeshNode {
  enum Kind {
    /// Beside one workload.
    case sidecar
    /// A gateway: a workload by itself.
    case router
    /// In front of the workloads of a namespace (ambient mode).
    case waypoint
  }

  let kind: Kind
  /// Of two spans of one resource with the same key, both are of the same proxy.
  let key: UnsafeRawBufferPointer
  /// Empty where only the namespace is known.
  private(set) var address = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
  private(set) var pod = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
  let namespace: UnsafeRawBufferPointer

  /// nil for spans of other senders, and where nothing names a namespace.
  init?(_ attributes: AttributeSlots) {
    if let nodeID = unsafe attributes[.nodeID].text {
      unsafe self.init(nodeID: nodeID)
    } else if let namespace = unsafe attributes.said(.istioNamespace) {
      // Spans of Envoy's router have Istio's tags and no node's id.
      let kind = attributes.has(.istioDestinationNamespace) ? Kind.waypoint : .sidecar
      unsafe self.init(kind: kind, key: namespace, namespace: namespace)
    } else {
      return nil
    }
  }

  private init(
    kind: Kind, key: UnsafeRawBufferPointer, namespace: UnsafeRawBufferPointer
  ) {
    self.kind = kind
    unsafe self.key = unsafe key
    unsafe self.namespace = unsafe namespace
  }

  /// nil for what is no id of Istio's.
  init?(nodeID: UnsafeRawBufferPointer) {
    let divider = UInt8(ascii: "~")
    guard let first = unsafe nodeID.position(of: divider),
      let second = unsafe nodeID.position(of: divider, from: first + 1),
      let third = unsafe nodeID.position(of: divider, from: second + 1)
    else { return nil }
    let id = unsafe nodeID.part(second + 1..<third)
    guard let dot = unsafe id.lastPosition(of: UInt8(ascii: ".")), dot + 1 < id.count else {
      return nil
    }
    let type = unsafe nodeID.part(0..<first)
    if unsafe type.equals("sidecar") {
      kind = .sidecar
    } else if unsafe type.equals("router") {
      kind = .router
    } else if unsafe type.equals("waypoint") {
      kind = .waypoint
    } else {
      return nil
    }
    unsafe key = nodeID
    unsafe address = nodeID.part(first + 1..<second)
    unsafe pod = id.part(0..<dot)
    unsafe namespace = id.part(from: dot + 1)
  }

  /// The workload's name out of `service.name`, which Istio makes of it and its namespace
  /// (`checkout.shop`), or of it alone, as `tracingServiceName` says.
  func workload(
    _ serviceName: UnsafeRawBufferPointer, canonical: UnsafeRawBufferPointer?
  ) -> UnsafeRawBufferPointer {
    if unsafe serviceName.isEmpty || serviceName.hasPrefix("unknown_service") {
      return unsafe canonical ?? (pod.isEmpty ? serviceName : pod)
    }
    let nameEnd = unsafe serviceName.count - namespace.count - 1
    guard nameEnd > 0, unsafe serviceName[nameEnd] == UInt8(ascii: "."),
      unsafe serviceName.hasSuffix(namespace)
    else { return unsafe serviceName }
    return unsafe serviceName.part(0..<nameEnd)
  }
}

/// A workload behind a waypoint, which the waypoint's spans name.
@safe struct MeshWorkload {
  let name: UnsafeRawBufferPointer
  let namespace: UnsafeRawBufferPointer
  /// The waypoint stands in front of it; otherwise behind it, on the way out of the mesh.
  let isServed: Bool

  /// - Source: Istio 1.29, `buildWaypointSourceTags`: the canonical service, else the workload. A
  ///   tag Envoy has no value for is `-`.
  init?(_ attributes: AttributeSlots) {
    if let name = unsafe attributes.said(.istioDestinationService)
      ?? attributes.said(.istioDestinationWorkload),
      let namespace = unsafe attributes.said(.istioDestinationNamespace)
    {
      unsafe (self.name, self.namespace, isServed) = (name, namespace, true)
    } else if let name = unsafe attributes.said(.istioSourceService)
      ?? attributes.said(.istioSourceWorkload),
      let namespace = unsafe attributes.said(.istioSourceNamespace)
    {
      unsafe (self.name, self.namespace, isServed) = (name, namespace, false)
    } else {
      return nil
    }
  }
}

extension AttributeSlots {
  /// Text, unless it is Envoy's or Istio's word for no value.
  func said(_ key: AttributeKey) -> UnsafeRawBufferPointer? {
    guard let text = unsafe self[key].text, unsafe !text.equals("-"), unsafe !text.equals("unknown")
    else { return nil }
    return unsafe text
  }
}
