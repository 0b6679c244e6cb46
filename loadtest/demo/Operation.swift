/// What a service does when it is asked: it works, and asks others, one after the other.
struct Operation {
  var service: String
  var name: String
  /// Of the work itself, without what others take; the median.
  var milliseconds: Double
  var steps: [Step] = []

  enum Step {
    case call(Operation)
    /// A statement to a database, and how long it takes; the median.
    case query(system: String, database: String, statement: String, milliseconds: Double)
    /// A message to a queue, and what its consumer does with it.
    case publish(queue: String, Operation)
  }
}

extension Operation {
  private static let readCart = Operation(service: "cart", name: "GET /cart", milliseconds: 9)

  private static let pay = Operation(service: "payment", name: "POST /payments", milliseconds: 45)

  private static let ship = Operation(
    service: "shipping", name: "orders process", milliseconds: 25)

  private static let order = Operation(
    service: "checkout", name: "POST /orders", milliseconds: 14,
    steps: [
      .call(readCart), .call(pay),
      .query(system: "postgresql", database: "orders", statement: "INSERT orders", milliseconds: 4),
      .publish(queue: "orders", ship),
    ])

  private static let deliveryTimes = Operation(
    service: "checkout", name: "GET /delivery-times", milliseconds: 12)

  private static let search = Operation(
    service: "catalog", name: "GET /products", milliseconds: 7,
    steps: [
      .query(
        system: "postgresql", database: "products", statement: "SELECT products", milliseconds: 3)
    ])

  private static func page(_ name: String, showing operation: Operation) -> Operation {
    Operation(service: "frontend", name: name, milliseconds: 5, steps: [.call(operation)])
  }

  /// What customers ask for, and how often: requests a second.
  static let entries: [(rate: Double, operation: Operation)] = [
    (9, page("GET /cart", showing: readCart)),
    (9, page("GET /delivery", showing: deliveryTimes)),
    (3, page("GET /products", showing: search)),
    (3, page("POST /checkout", showing: order)),
  ]
}
