// Systems to simulate.
extension SystemDescription {
  /// A shop of eleven services, two databases and a queue, in the manner of the usual demonstrations.
  public static func shop(rate: Double = 20) -> SystemDescription {
    func call(
      _ service: Int, _ operation: Int = 0, probability: Double = 1, retries: Int = 0,
      isOptional: Bool = false
    ) -> CallDescription {
      CallDescription(
        OperationReference(service, operation), probability: probability, retries: retries,
        isOptional: isOptional)
    }
    let services = [
      ServiceDescription(
        name: "frontend", instances: 4, workers: 64,
        operations: [
          OperationDescription(
            name: "GET /", milliseconds: 4,
            groups: [[call(1), call(2)], [call(3, isOptional: true)]]),
          OperationDescription(
            name: "GET /product", milliseconds: 3, groups: [[call(1, 1), call(2), call(4)]]),
          OperationDescription(name: "POST /checkout", milliseconds: 5, groups: [[call(5)]]),
        ]),
      ServiceDescription(
        name: "catalog",
        operations: [
          OperationDescription(
            name: "ListProducts", milliseconds: 5, groups: [[call(11, probability: 0.4)]]),
          OperationDescription(
            name: "GetProduct", milliseconds: 3, groups: [[call(11, probability: 0.5)]]),
        ]),
      ServiceDescription(
        name: "currency", workers: 32,
        operations: [OperationDescription(name: "Convert", milliseconds: 1.5)]),
      ServiceDescription(
        name: "ads", operations: [OperationDescription(name: "GetAds", milliseconds: 6)]),
      ServiceDescription(
        name: "recommendation",
        operations: [
          OperationDescription(name: "Recommend", milliseconds: 8, groups: [[call(1, 0)]])
        ]),
      ServiceDescription(
        name: "checkout",
        operations: [
          OperationDescription(
            name: "PlaceOrder", milliseconds: 6,
            groups: [
              [call(6), call(2)], [call(7, retries: 1)], [call(8), call(9, isOptional: true)],
              [
                CallDescription(OperationReference(10), queue: "orders")
              ],
            ])
        ]),
      ServiceDescription(
        name: "cart",
        operations: [
          OperationDescription(name: "GetCart", milliseconds: 3, groups: [[call(12)]])
        ]),
      ServiceDescription(
        name: "payment",
        operations: [OperationDescription(name: "Charge", milliseconds: 12, errorRate: 0.003)]),
      ServiceDescription(
        name: "shipping",
        operations: [
          OperationDescription(
            name: "Ship", milliseconds: 7, groups: [[call(11, probability: 0.3)]])
        ]),
      ServiceDescription(
        name: "email", operations: [OperationDescription(name: "Send", milliseconds: 9)]),
      ServiceDescription(
        name: "warehouse",
        operations: [
          OperationDescription(name: "Fulfil", milliseconds: 15, groups: [[call(11)]])
        ]),
      ServiceDescription(
        name: "products-db", kind: .database, instances: 1, workers: 256, cores: 64,
        operations: [OperationDescription(name: "SELECT", milliseconds: 2)]),
      ServiceDescription(
        name: "cart-cache", kind: .database, instances: 1, workers: 256, cores: 64,
        operations: [OperationDescription(name: "GET", milliseconds: 0.6)]),
    ]
    return SystemDescription(
      services: services,
      entries: [
        EntryDescription(OperationReference(0, 0), rate: rate * 0.5),
        EntryDescription(OperationReference(0, 1), rate: rate * 0.3),
        EntryDescription(OperationReference(0, 2), rate: rate * 0.2),
      ])
  }

  /// Layers of services, each calling a few of the layer below; the last calls databases. Some hops are
  /// not traced, some calls run side by side and some after one another.
  public static func layers(
    _ widths: [Int], rate: Double = 20, untracedShare: Double = 0.1, seed: UInt64
  ) -> SystemDescription {
    var random = Randomness(seed: seed)
    var services: [ServiceDescription] = []
    var firsts: [Int] = []
    var first = 0
    for width in widths {
      firsts.append(first)
      first += width
    }
    for (layer, width) in widths.enumerated() {
      let isLast = layer == widths.count - 1
      for position in 0..<width {
        let name = isLast ? "store-\(position)" : "svc-\(layer)-\(position)"
        let below =
          isLast ? [] : Array(firsts[layer + 1]..<(firsts[layer + 1] + widths[layer + 1]))
        let isUntraced = !isLast && layer > 0 && random.happens(untracedShare)
        services.append(
          ServiceDescription(
            name: name, kind: isLast ? .database : isUntraced ? .untraced : .traced,
            instances: isLast ? 1 : 2 + random.position(below: 3), workers: isLast ? 256 : 24,
            cores: isLast ? 64 : 4,
            operations: (0..<(isLast ? 1 : 1 + random.position(below: 2))).map { number in
              operation(number, below: below, isLast: isLast, &random)
            }))
      }
    }
    // A call names an operation its target has.
    for service in services.indices {
      for operation in services[service].operations.indices {
        for group in services[service].operations[operation].groups.indices {
          for call in services[service].operations[operation].groups[group].indices {
            let target = services[service].operations[operation].groups[group][call].target
            services[service].operations[operation].groups[group][call].target.operation =
              target.operation % services[target.service].operations.count
          }
        }
      }
    }
    let entries = (0..<widths[0]).map {
      EntryDescription(OperationReference($0), rate: rate / Double(widths[0]))
    }
    return SystemDescription(services: services, entries: entries)
  }

  private static func operation(
    _ number: Int, below: [Int], isLast: Bool, _ random: inout Randomness
  ) -> OperationDescription {
    var groups: [[CallDescription]] = []
    if !below.isEmpty {
      for _ in 0..<(1 + random.position(below: 2)) {
        let group = (0..<(1 + random.position(below: 2))).map { _ in
          CallDescription(
            OperationReference(
              below[random.position(below: below.count)], random.position(below: 2)),
            probability: random.happens(0.6) ? 1 : 0.3 + 0.5 * random.uniform(),
            retries: random.happens(0.2) ? 1 : 0, isOptional: random.happens(0.15))
        }
        groups.append(group)
      }
    }
    return OperationDescription(
      name: isLast ? "query" : "op-\(number)",
      milliseconds: isLast ? 0.5 + 3 * random.uniform() : 2 + 10 * random.uniform(),
      groups: groups)
  }
}
