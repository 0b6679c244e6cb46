/// The attributes Spangate reads, of spans and of resources. The raw value is a slot number.
/// - Source: OpenTelemetry semantic conventions 1.37 and the names they replaced; Envoy's
///   tracing tags; OpenTracing's `component` and `error`.
enum AttributeKey: UInt8, CaseIterable {
  // Failure.
  case error, errorType, httpStatusCode, httpResponseStatusCode
  case rpcGRPCStatusCode, grpcStatusCode, rpcResponseStatusCode, responseFlags
  // Proxies.
  case component, nodeID, downstreamCluster
  case upstreamCluster, upstreamClusterName, upstreamAddress
  // Who was called.
  case servicePeerName, peerService, serverAddress, netPeerName, networkPeerAddress
  case netPeerIP, netSockPeerAddress, peerAddress, httpHost, httpURL, urlFull
  case databaseSystem, databaseSystemName, databaseName, databaseNamespace
  case messagingSystem, messagingDestinationName, messagingDestination
  // Who reports.
  case serviceName, serviceNamespace, serviceVersion, serviceInstanceID
  case environmentName, environment
  case hostName, podName, containerID, hostIP, podIP

  var text: StaticString {
    switch self {
    case .error: "error"
    case .errorType: "error.type"
    case .httpStatusCode: "http.status_code"
    case .httpResponseStatusCode: "http.response.status_code"
    case .rpcGRPCStatusCode: "rpc.grpc.status_code"
    case .grpcStatusCode: "grpc.status_code"
    case .rpcResponseStatusCode: "rpc.response.status_code"
    case .responseFlags: "response_flags"
    case .component: "component"
    case .nodeID: "node_id"
    case .downstreamCluster: "downstream_cluster"
    case .upstreamCluster: "upstream_cluster"
    case .upstreamClusterName: "upstream_cluster.name"
    case .upstreamAddress: "upstream_address"
    case .servicePeerName: "service.peer.name"
    case .peerService: "peer.service"
    case .serverAddress: "server.address"
    case .netPeerName: "net.peer.name"
    case .networkPeerAddress: "network.peer.address"
    case .netPeerIP: "net.peer.ip"
    case .netSockPeerAddress: "net.sock.peer.addr"
    case .peerAddress: "peer.address"
    case .httpHost: "http.host"
    case .httpURL: "http.url"
    case .urlFull: "url.full"
    case .databaseSystem: "db.system"
    case .databaseSystemName: "db.system.name"
    case .databaseName: "db.name"
    case .databaseNamespace: "db.namespace"
    case .messagingSystem: "messaging.system"
    case .messagingDestinationName: "messaging.destination.name"
    case .messagingDestination: "messaging.destination"
    case .serviceName: "service.name"
    case .serviceNamespace: "service.namespace"
    case .serviceVersion: "service.version"
    case .serviceInstanceID: "service.instance.id"
    case .environmentName: "deployment.environment.name"
    case .environment: "deployment.environment"
    case .hostName: "host.name"
    case .podName: "k8s.pod.name"
    case .containerID: "container.id"
    case .hostIP: "host.ip"
    case .podIP: "k8s.pod.ip"
    }
  }
}
