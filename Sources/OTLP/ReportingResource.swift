import Model

/// Whom spans speak for.
struct Reporter: Equatable {
  var service: NameID = .none
  var version: NameID = .none
  var instance: NameID = .none
  /// Which of the names above are summed under overflow.
  var overflow: SpanTraits = []
}

/// Who reports the spans that follow, as far as reading a span asks.
struct ReportingResource {
  var reporter = Reporter()
  /// `service.name` and `service.namespace`, as they were sent.
  var serviceName: [UInt8] = []
  var serviceNamespace: [UInt8] = []
  /// The reporter by `MeshNode` of the span before, which spans of one proxy share.
  var meshReporter = Reporter()
  var meshKey: [UInt8] = []
  var meshAddress: [UInt8] = []
  /// Set where the resource itself names the proxy, and all its log records are that proxy's.
  var meshKind: MeshNode.Kind?
  /// The environment's part of a node's text, cleaned.
  var environment: [UInt8] = []
  /// The process is a proxy, whatever its spans say.
  var isProxy = false
  /// The addresses the sender says it has itself.
  var ownAddresses: [[UInt8]] = []

  /// Whose clock timed the spans (`SpanRecord.host`).
  var host: UInt32 = 0

  /// What its requests are told apart by, and whether that is summed under overflow.
  var dimensions: NameID = .none
  var dimensionsOverflow: SpanTraits = []

  /// Whose names the batch lists already.
  var listed = Reporter()

  init() {}

  /// All but the names, which the builder interns.
  init(_ attributes: AttributeSlots) {
    isProxy =
      unsafe attributes[.serviceName].text?.equals("linkerd-proxy") ?? false
      || attributes[.containerName].text?.equals("linkerd-proxy") ?? false
    serviceName = unsafe attributes[.serviceName].text.map { unsafe Array($0) } ?? []
    serviceNamespace = unsafe attributes[.serviceNamespace].text.map { unsafe Array($0) } ?? []
    for key in [AttributeKey.hostIP, .podIP] {
      if let text = unsafe attributes[key].firstText {
        unsafe ownAddresses.append(NetworkAddress.canonical(text))
      }
    }
  }

  /// What says whose clock it is, the first that says anything. A node's name goes before what a
  /// process in a pod takes for its host: all pods of a node share its clock, and their `host.name` is
  /// the pod's.
  /// - Source: Jaeger's clock skew adjuster for the last three and their order.
  static let hostKeys: [AttributeKey] = [.nodeName, .hostID, .hostIP, .hostName]

  /// The tag of the container's image; nil for one that moves from version to version.
  static func imageTag(_ attributes: AttributeSlots) -> UnsafeRawBufferPointer? {
    let tag = unsafe attributes[.imageTags].firstText ?? attributes[.imageTag].firstText
    guard let tag = unsafe tag, unsafe !tag.equals("latest") else { return nil }
    return unsafe tag
  }

  /// The workload beside a proxy of Linkerd's, which calls itself `linkerd-proxy` wherever it is.
  /// - Source: linkerd2-proxy sends the pod's labels as attributes of its resource; the injector
  ///   labels pods with the workload's name and namespace.
  static func linkerdWorkload(_ attributes: AttributeSlots) -> AttributeValue? {
    guard unsafe attributes[.serviceName].text?.equals("linkerd-proxy") ?? false else { return nil }
    let workload = attributes.first(.linkerdDeployment, .linkerdStatefulSet, .linkerdDaemonSet)
    return workload.isPresent ? workload : nil
  }
}
