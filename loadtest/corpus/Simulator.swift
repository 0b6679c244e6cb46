public import Model

/// Runs a system: requests come in, wait for a worker, work, call others, time out and try again; each
/// makes the spans its service would send.
public struct Simulator: Sendable {
  public let system: SystemDescription
  public var faults: [Fault]
  public var rollouts: [Rollout]
  public var load: Load
  /// Unix nanoseconds of second 0 of the simulation.
  public let start: Nanos
  public internal(set) var names = SimulatedNames()
  /// Every change of the number of instances that scaling made.
  public internal(set) var scalings: [Scaling] = []

  var random: Randomness
  var queue = EventQueue()
  var now = 0.0
  var until = 0.0
  var level = 0.0
  var frames = Pool<Frame>()
  var calls = Pool<Call>()
  var traces = Pool<OpenTrace>()
  var services: [RunningService] = []
  var finished: [SimulatedTrace] = []
  var pools: [PoolKey: ConnectionPool] = [:]
  /// Of each operation of each service the id of its name.
  var operationNames: [[NameID]] = []

  public struct Scaling: Sendable, Equatable {
    public var time: Double
    public var service: Int
    public var from: Int
    public var to: Int
  }

  /// Calls of one instance to one service, where only so many are made at a time.
  struct PoolKey: Hashable, Sendable {
    var caller: Int
    var instance: Int32
    var callee: Int
  }

  struct ConnectionPool: Sendable {
    var used = 0
    var waiting: [CallNumber] = []
  }

  /// A request at a service.
  struct Frame: Sendable {
    var trace: Int32
    var operation: OperationReference
    /// −1 until it reached one.
    var instance: Int32 = -1
    /// The call it answers; nil at an entry, and for what was taken from a queue.
    var call: CallNumber?
    var span: SpanID
    var parent: SpanID
    var isConsumer = false
    var begin = 0.0
    /// How many groups of calls were made, and calls that are not over.
    var step = 0
    var pending = 0
    var failed = false
    var returnsEarly = false
    var work = 0.0
  }

  /// A call's number is given again when the call is over, which may be before its request is.
  struct CallNumber: Sendable, Equatable {
    var number: Int32
    var generation: UInt32
  }

  /// A call on its way, as the caller sees it.
  struct Call: Sendable {
    var caller: Int32
    var description: CallDescription
    var span: SpanID
    var begin: Double
    var attempt: Int
    var address = NameID.none
    /// The pool it holds a place of, or waits for one.
    var pool: PoolKey?
    var holdsPlace = false
  }

  struct OpenTrace: Sendable {
    var id: TraceID
    var spans: [SpanRecord] = []
    /// Frames that are not over.
    var open = 0
  }

  struct RunningService: Sendable {
    var name: NameID
    var peer: NameID
    var instances: [Instance] = []
    /// Seconds of workers busy since the last look of scaling.
    var busySeconds = 0.0
    var lastChange = 0.0
    var busy = 0
    var mayShrinkAfter = 0.0
  }

  struct Instance: Sendable {
    var name: NameID
    var address: NameID
    var version: String
    var versionName: NameID
    var busy = 0
    /// Of the busy workers those that work, and do not wait for a call.
    var working = 0
    var waiting: [Int32] = []
    var nextWaiting = 0
    /// Takes requests, and is slow until then after it began.
    var isReady = true
    var isLeaving = false
    var coldUntil = -1.0

    var waitingCount: Int { waiting.count - nextWaiting }
  }

  public init(
    _ system: SystemDescription, faults: [Fault] = [], rollouts: [Rollout] = [],
    load: Load = Load(), start: Nanos, seed: UInt64
  ) {
    self.system = system
    self.faults = faults
    self.rollouts = rollouts
    self.load = load
    self.start = start
    random = Randomness(seed: seed)
    for (position, service) in system.services.enumerated() { add(service, at: position) }
  }

  /// Simulates up to a time and hands over the traces that are over by then, or will be, in the order
  /// they ended. Later calls go on from there.
  /// - Parameter seconds: of the simulation, from its beginning.
  public mutating func run(until seconds: Double, _ body: (SimulatedTrace) -> Void) {
    if until == 0 { begin() }
    until = seconds
    while let event = queue.next() {
      if event.time > seconds {
        queue.plan(event.action, at: event.time)
        break
      }
      now = event.time
      handle(event.action)
      for trace in finished { body(trace) }
      finished.removeAll(keepingCapacity: true)
    }
  }

  private mutating func begin() {
    for entry in system.entries.indices { planArrival(entry) }
    queue.plan(.level, at: 10)
    for (position, service) in system.services.enumerated() where service.scaling != nil {
      queue.plan(.scale(service: Int32(position)), at: Simulator.scalingSeconds)
    }
  }

  private mutating func handle(_ action: EventQueue.Action) {
    switch action {
    case .arrival(let entry): arrive(Int(entry))
    case .reach(let frame): reach(frame)
    case .workDone(let frame): proceed(frame)
    case .answer(let call, let failed): end(call, failed: failed)
    case .level:
      level = load.next(level, &random)
      queue.plan(.level, at: now + 10)
    case .scale(let service): scale(Int(service))
    case .ready(let service, let instance): ready(Int(service), Int(instance))
    }
  }

  func nanos(_ seconds: Double) -> Nanos { start &+ Nanos(max(0, seconds) * 1e9) }

  mutating func newSpan() -> SpanID { SpanID(random.next() | 1) }
}

/// A trace that is over, with all its spans.
public struct SimulatedTrace: Sendable {
  public var id: TraceID
  public var spans: [SpanRecord]
}
