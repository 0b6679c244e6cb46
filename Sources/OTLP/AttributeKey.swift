/// The attributes Spangate reads, of spans and of resources. The raw value is a slot number.
/// - Source: OpenTelemetry semantic conventions 1.38 and the names they replaced; Envoy's
///   tracing tags; OpenTracing's tags.
enum AttributeKey: UInt8, CaseIterable {
  // Failure.
  case error, errorType, httpStatusCode, httpResponseStatusCode
  case rpcGRPCStatusCode, grpcStatusCode, rpcResponseStatusCode, responseFlags
  // Proxies.
  case component, nodeID, downstreamCluster
  case upstreamCluster, upstreamClusterName, upstreamAddress
  // Meshes.
  case istioNamespace, istioService, istioDestinationService, istioDestinationWorkload,
    istioDestinationNamespace
  case istioSourceService, istioSourceWorkload, istioSourceNamespace
  case linkerdNamespace, linkerdDeployment, linkerdStatefulSet, linkerdDaemonSet, containerName
  // Who was called.
  case servicePeerName, servicePeerNamespace, peerService, serverAddress, netPeerName,
    networkPeerAddress
  case serverSocketAddress, serverSocketDomain
  case netPeerIP, netSockPeerAddress, peerAddress, httpHost, httpURL, urlFull
  case netSockPeerName, peerHostname, peerIPv4, peerIPv6, functionInvokedName, rpcService
  case rpcMethod, generativeProvider, generativeSystem, generativeOperation
  case databaseSystem, databaseSystemName, databaseName, databaseNamespace
  case databaseInstance, databaseType, databaseCollection
  case databaseStatement, databaseQueryText, databaseOperation, databaseOperationName
  case databaseConnection, cassandraKeyspace, hbaseNamespace, mongoDBCollection, sqlTable
  case graphQLOperationName, graphQLOperationType
  // Queues.
  case messagingSystem, messagingDestinationName, messagingDestination
  case messagingDestinationTemplate, messagingDestinationPublishName
  case messagingDestinationTemporary, messagingDestinationAnonymous
  case messagingTemporaryDestination, messageBusDestination
  case messagingSourceName, messagingSourceTemplate, messagingSourceTemporary,
    messagingSourceAnonymous, messagingURL
  case sqsQueueURL, awsQueueURL, snsTopicARN
  case messagingOperationType, messagingOperation
  // Sampling.
  case samplingProbability
  // Who reports.
  case serviceName, serviceNamespace, serviceVersion, serviceInstanceID
  case environmentName, environment
  case hostName, podName, containerID, hostIP, podIP
  case hostID, nodeName, clusterName, istioCluster
  case imageTags, imageTag, replicaSetName
  // Access logs, beside those above.
  case proxyNode, proxyCluster, trafficDirection
  case responseCode, duration, bytesReceived, bytesSent, requestBodySize, responseBodySize
  case authority, requestedServerName, upstreamHost, upstreamLocalAddress
  case downstreamRemoteAddress, downstreamLocalAddress, clientAddress

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
    case .istioNamespace: "istio.namespace"
    case .istioService: "istio.canonical_service"
    case .istioDestinationService: "istio.destination_canonical_service"
    case .istioDestinationWorkload: "istio.destination_workload"
    case .istioDestinationNamespace: "istio.destination_namespace"
    case .istioSourceService: "istio.source_canonical_service"
    case .istioSourceWorkload: "istio.source_workload"
    case .istioSourceNamespace: "istio.source_namespace"
    case .linkerdNamespace: "linkerd.io/workload-ns"
    case .linkerdDeployment: "linkerd.io/proxy-deployment"
    case .linkerdStatefulSet: "linkerd.io/proxy-statefulset"
    case .linkerdDaemonSet: "linkerd.io/proxy-daemonset"
    case .containerName: "k8s.container.name"
    case .servicePeerName: "service.peer.name"
    case .servicePeerNamespace: "service.peer.namespace"
    case .peerService: "peer.service"
    case .serverAddress: "server.address"
    case .serverSocketAddress: "server.socket.address"
    case .serverSocketDomain: "server.socket.domain"
    case .netPeerName: "net.peer.name"
    case .networkPeerAddress: "network.peer.address"
    case .netPeerIP: "net.peer.ip"
    case .netSockPeerAddress: "net.sock.peer.addr"
    case .peerAddress: "peer.address"
    case .httpHost: "http.host"
    case .httpURL: "http.url"
    case .urlFull: "url.full"
    case .netSockPeerName: "net.sock.peer.name"
    case .peerHostname: "peer.hostname"
    case .peerIPv4: "peer.ipv4"
    case .peerIPv6: "peer.ipv6"
    case .functionInvokedName: "faas.invoked_name"
    case .rpcService: "rpc.service"
    case .rpcMethod: "rpc.method"
    case .generativeProvider: "gen_ai.provider.name"
    case .generativeSystem: "gen_ai.system"
    case .generativeOperation: "gen_ai.operation.name"
    case .graphQLOperationName: "graphql.operation.name"
    case .graphQLOperationType: "graphql.operation.type"
    case .databaseSystem: "db.system"
    case .databaseSystemName: "db.system.name"
    case .databaseName: "db.name"
    case .databaseNamespace: "db.namespace"
    case .databaseInstance: "db.instance"
    case .databaseType: "db.type"
    case .databaseCollection: "db.collection.name"
    case .databaseStatement: "db.statement"
    case .databaseQueryText: "db.query.text"
    case .databaseOperation: "db.operation"
    case .databaseOperationName: "db.operation.name"
    case .databaseConnection: "db.connection_string"
    case .cassandraKeyspace: "db.cassandra.keyspace"
    case .hbaseNamespace: "db.hbase.namespace"
    case .mongoDBCollection: "db.mongodb.collection"
    case .sqlTable: "db.sql.table"
    case .messagingSystem: "messaging.system"
    case .messagingDestinationName: "messaging.destination.name"
    case .messagingDestination: "messaging.destination"
    case .messagingDestinationTemplate: "messaging.destination.template"
    case .messagingDestinationPublishName: "messaging.destination_publish.name"
    case .messagingDestinationTemporary: "messaging.destination.temporary"
    case .messagingDestinationAnonymous: "messaging.destination.anonymous"
    case .messagingTemporaryDestination: "messaging.temp_destination"
    case .messageBusDestination: "message_bus.destination"
    case .messagingSourceName: "messaging.source.name"
    case .messagingSourceTemplate: "messaging.source.template"
    case .messagingSourceTemporary: "messaging.source.temporary"
    case .messagingSourceAnonymous: "messaging.source.anonymous"
    case .messagingURL: "messaging.url"
    case .sqsQueueURL: "aws.sqs.queue.url"
    case .awsQueueURL: "aws.queue_url"
    case .snsTopicARN: "aws.sns.topic.arn"
    case .messagingOperationType: "messaging.operation.type"
    case .messagingOperation: "messaging.operation"
    case .samplingProbability: "sampling.probability"
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
    case .hostID: "host.id"
    case .nodeName: "k8s.node.name"
    case .clusterName: "k8s.cluster.name"
    case .istioCluster: "istio.cluster_id"
    case .imageTags: "container.image.tags"
    case .imageTag: "container.image.tag"
    case .replicaSetName: "k8s.replicaset.name"
    case .proxyNode: "node_name"
    case .proxyCluster: "cluster_name"
    case .trafficDirection: "traffic_direction"
    case .responseCode: "response_code"
    case .duration: "duration"
    case .bytesReceived: "bytes_received"
    case .bytesSent: "bytes_sent"
    case .requestBodySize: "http.request.body.size"
    case .responseBodySize: "http.response.body.size"
    case .authority: "authority"
    case .requestedServerName: "requested_server_name"
    case .upstreamHost: "upstream_host"
    case .upstreamLocalAddress: "upstream_local_address"
    case .downstreamRemoteAddress: "downstream_remote_address"
    case .downstreamLocalAddress: "downstream_local_address"
    case .clientAddress: "client.address"
    }
  }
}
