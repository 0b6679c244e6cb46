import Access
import HTTP2
import Model
import NIOCore
import OTLP

/// What a request is answered with, before it takes the form of a protocol.
enum Answer: Equatable, Sendable {
  case exported(OTLPSignal, Rejections)
  case health(ServingStatus)
  case preflight([HTTP2Header])
  case refused(Refusal)
}

/// The connection a request came on.
protocol ExchangeOwner: AnyObject {
  /// Sends the answer. Called once for an exchange, on the loop, possibly from within a call to it.
  func exchangeAnswered(_ exchange: Exchange, _ answer: Answer)
  /// A health watch begins instead of an answer.
  func watchBegan(_ exchange: Exchange, service: String)
}

/// One request on its way: its body is collected, decoded, admitted, answered. The same for every
/// protocol; what comes in and how the answer goes out is its owner's.
final class Exchange {
  /// Where the request is.
  enum Phase: Equatable {
    case collecting
    /// On a worker.
    case decoding
    /// With the sink.
    case admitting
    /// Answered or given up, while a worker or the sink still has it.
    case abandoned
    case finished
  }

  let stream: Int32
  let head: RequestHead
  let route: Route
  let form: ReplyForm
  private(set) var phase = Phase.collecting
  /// Its body stopped coming.
  private(set) var isStalled = false
  /// When its answer was handed over, on a connection that carries several at once.
  var answeredAt: NIODeadline?
  /// When the client stops waiting.
  private(set) var deadline: NIODeadline?

  private let services: LoopServices
  private weak var owner: (any ExchangeOwner)?
  private var intake: BodyIntake
  private var rejections = Rejections()
  private var progressDue: NIODeadline
  private var progressBytes = 0

  init(
    _ head: RequestHead, stream: Int32, isHTTP2: Bool, owner: any ExchangeOwner,
    services: LoopServices
  ) {
    self.stream = stream
    self.head = head
    self.owner = owner
    self.services = services
    (route, form) = services.router.route(head, isHTTP2: isHTTP2)
    intake = BodyIntake(
      isGRPC: form == .grpc, bytesMax: services.configuration.decodeLimits.requestBytesMax,
      buffer: services.takeBuffer())
    progressDue = services.now + services.bodyTimeout
  }

  deinit { assert(intake.reservedBytes == 0, "a request left its reservation behind") }

  /// Answers what the head alone decides; otherwise the body may come.
  func begin() {
    switch route {
    case .refused(let refusal): answer(.refused(refusal))
    case .preflight(let headers): answer(.preflight(headers))
    case .healthCheck, .healthWatch: startDeadline()
    case .export:
      counters.requests.add(1)
      if let refusal = accessRefusal {
        answer(.refused(.notAllowed(refusal)))
        return
      }
      startDeadline()
      if let refusal = intake.declare(bytes: head.contentLength, reserve: services.reserve) {
        answer(.refused(refusal))
      }
    }
  }

  /// Whether the body is wanted.
  var isCollecting: Bool { phase == .collecting }

  func receive(_ piece: RawSpan) {
    guard phase == .collecting else { return }
    if let refusal = intake.append(piece, reserve: services.reserve) { answer(.refused(refusal)) }
  }

  /// The request is complete.
  func end() {
    guard phase == .collecting else { return }
    counters.bytes.add(intake.receivedBytes)
    if let refusal = intake.finish() {
      answer(.refused(refusal))
      return
    }
    switch route {
    case .export(let signal, let encoding, let compression):
      decode(signal, encoding, compression)
    case .healthCheck, .healthWatch: checkHealth()
    case .preflight, .refused: preconditionFailure("answered before its body")
    }
  }

  /// The client is gone, or has called the request off.
  func cancel() {
    guard phase != .finished, phase != .abandoned else { return }
    counters.requestsAbandoned.add(1)
    leave()
  }

  /// Gives up a body that makes no progress.
  func checkProgress(_ now: NIODeadline) {
    guard phase == .collecting, now >= progressDue else { return }
    let configuration = services.configuration
    if intake.receivedBytes - progressBytes >= configuration.bodyProgressBytesMin {
      progressBytes = intake.receivedBytes
      progressDue = now + services.bodyTimeout
    } else {
      let seconds = Int(clamping: configuration.bodyTimeoutNanos / .second)
      isStalled = true
      answer(.refused(.bodyTimedOut(seconds: seconds)))
    }
  }

  /// The client's deadline has passed.
  func expire() {
    guard phase != .finished, phase != .abandoned else { return }
    count(.refused(.deadlineExceeded))
    leave()
    owner?.exchangeAnswered(self, .refused(.deadlineExceeded))
  }

  /// Why this client may not send; nil when it may.
  private var accessRefusal: AccessRefusal? {
    services.tokens?.refusal(
      head.authorization, needing: .ingest, transport: form == .grpc ? "grpc" : "http")
  }

  private var counters: CounterCells.Transport {
    form == .grpc ? services.counters.grpc : services.counters.http
  }

  private func startDeadline() {
    guard form == .grpc, let text = head.grpcTimeout, let nanos = GRPCText.timeoutNanos(text) else {
      return
    }
    // Beyond a day there is no difference to none.
    deadline = services.now + .nanoseconds(Int64(min(nanos, .day)))
    services.watchDeadline(of: self)
  }
}

// MARK: - Decoding and admission

extension Exchange {
  private func decode(
    _ signal: OTLPSignal, _ encoding: OTLPEncoding, _ compression: Route.Compression
  ) {
    let isGzip = form == .grpc ? intake.isMessageCompressed : compression == .gzip
    if isGzip, compression == .none {
      answer(.refused(.compressedWithoutEncoding))
      return
    }
    var body = BodyDecoding(
      bytes: intake.takeBytes(), signal: signal, encoding: encoding, isGzip: isGzip,
      inflatedBytesMax: 0, now: services.clock())
    let loopBytesMax = services.configuration.loopDecodeBytesMax
    var isSmall = encoding == .protobuf && body.bytes.count <= loopBytesMax
    if isGzip {
      let requestBytesMax = services.configuration.decodeLimits.requestBytesMax
      let hint = min(BodyDecoding.inflatedBytesHint(body.bytes), requestBytesMax)
      guard intake.reserveMore(hint, reserve: services.reserve) else {
        answer(.refused(.noRoom))
        return
      }
      body.inflatedBytesMax = hint
      isSmall = isSmall && hint <= loopBytesMax
    }
    if isSmall { decodeHere(body) } else { decodeOnWorker(body) }
  }

  private func decodeHere(_ body: consuming BodyDecoding) {
    let result = body.run(services.decoder)
    if mustInflateAgain(body, result) { return }
    services.giveBuffer(body.bytes)
    decoded(result)
  }

  private func decodeOnWorker(_ body: BodyDecoding) {
    guard let decoding = services.workers.decode(body, for: services.loop) else {
      refuseOrFinish(.noRoom)
      return
    }
    phase = .decoding
    let bound = NIOLoopBound(self, eventLoop: services.loop)
    decoding.whenComplete { outcome in
      let exchange = bound.value
      switch outcome {
      case .success(let result):
        if exchange.phase == .abandoned || !exchange.mustInflateAgain(body, result) {
          exchange.decoded(result)
        }
      case .failure: exchange.refuseOrFinish(.shuttingDown)
      }
    }
  }

  /// A body of several gzip members unpacks to more than its last one says: once more, with room
  /// for the most there may be.
  private func mustInflateAgain(
    _ body: BodyDecoding, _ result: Result<DecodedRequest, DecodeError>
  ) -> Bool {
    let bytesMax = services.configuration.decodeLimits.requestBytesMax
    guard body.isGzip, body.inflatedBytesMax < bytesMax,
      case .failure(.bodyTooLarge) = result
    else { return false }
    guard intake.reserveMore(bytesMax - body.inflatedBytesMax, reserve: services.reserve) else {
      refuseOrFinish(.noRoom)
      return true
    }
    var again = body
    again.inflatedBytesMax = bytesMax
    decodeOnWorker(again)
    return true
  }

  private func decoded(_ result: Result<DecodedRequest, DecodeError>) {
    guard phase != .abandoned else {
      finish()
      return
    }
    switch result {
    case .failure(let error): answer(.refused(.undecodable(error, signal)))
    case .success(let request):
      rejections = request.rejections
      counters.add(rejections.counts, of: signal)
      counters.add(ignored: request.ignored)
      if !request.events.isEmpty {
        keep(request.events, before: request.batch)
      } else if request.batch.isEmpty {
        answer(.exported(signal, rejections))
      } else {
        admit(request.batch)
      }
    }
  }

  /// What the request brings; of one that brings nothing, traces.
  private var signal: OTLPSignal {
    if case .export(let signal, _, _) = route { signal } else { .traces }
  }

  /// Events first: they may be kept again where the batch is refused, and the request is sent once
  /// more, while a batch may not be admitted without the answer that says so.
  private func keep(_ events: [KubernetesEventRecord], before batch: SpanBatch) {
    phase = .admitting
    let count = events.count
    let loop = services.loop
    let bound = NIOLoopBound(self, eventLoop: loop)
    services.sink.keep(events, from: loop) { admission in
      loop.execute { bound.value.kept(admission, events: count, before: batch) }
    }
  }

  private func kept(_ admission: Admission, events: Int, before batch: SpanBatch) {
    guard phase == .admitting || phase == .abandoned else { return }
    switch admission {
    case .accepted:
      counters.add(accepted: events, of: signal)
      if phase == .abandoned {
        finish()
      } else if batch.isEmpty {
        answer(.exported(signal, rejections))
      } else {
        admit(batch)
      }
    case .refused(let reason, let seconds):
      refuseOrFinish(.overloaded(reason: reason, retryAfterSeconds: seconds))
    }
  }

  private func admit(_ batch: SpanBatch) {
    phase = .admitting
    let count = batch.sentCount
    let loop = services.loop
    let bound = NIOLoopBound(self, eventLoop: loop)
    services.sink.accept(batch, from: loop) { admission in
      if loop.inEventLoop {
        bound.value.admitted(admission, spans: count)
      } else {
        loop.execute { bound.value.admitted(admission, spans: count) }
      }
    }
  }

  private func admitted(_ admission: Admission, spans: Int) {
    guard phase == .admitting || phase == .abandoned else { return }
    switch admission {
    case .accepted:
      counters.add(accepted: spans, of: signal)
      if phase == .abandoned { finish() } else { answer(.exported(signal, rejections)) }
    case .refused(let reason, let seconds):
      refuseOrFinish(.overloaded(reason: reason, retryAfterSeconds: seconds))
    }
  }

  private func checkHealth() {
    guard !intake.isMessageCompressed else {
      answer(.refused(.compressedWithoutEncoding))
      return
    }
    let service = unsafe intake.bytes.withUnsafeBytes { unsafe HealthCodec.decodeRequest($0) }
    guard let service else {
      answer(.refused(.healthRequestMalformed))
      return
    }
    if route == .healthWatch {
      finish()
      owner?.watchBegan(self, service: service)
    } else {
      let status = services.servingStatus(of: service)
      answer(
        status == .serviceUnknown
          ? .refused(.healthServiceUnknown(service)) : .health(status))
    }
  }
}

// MARK: - The end

extension Exchange {
  private func refuseOrFinish(_ refusal: Refusal) {
    if phase == .abandoned { finish() } else { answer(.refused(refusal)) }
  }

  /// Nobody else has the request any more: it is answered and over.
  private func answer(_ answer: Answer) {
    count(answer)
    finish()
    owner?.exchangeAnswered(self, answer)
  }

  private func count(_ answer: Answer) {
    guard case .refused(let refusal) = answer else { return }
    if refusal.isRetryable {
      counters.requestsRefused.add(1)
    } else if refusal == .deadlineExceeded {
      counters.requestsAbandoned.add(1)
    } else {
      counters.requestsBad.add(1)
    }
  }

  /// Gives the request up. What a worker or the sink has comes back later, and only then is the
  /// reservation released.
  private func leave() {
    switch phase {
    case .decoding, .admitting:
      phase = .abandoned
      forgetDeadline()
    case .collecting: finish()
    case .abandoned, .finished: break
    }
  }

  private func finish() {
    guard phase != .finished else { return }
    phase = .finished
    forgetDeadline()
    services.giveBuffer(intake.takeBytes())
    let reserved = intake.takeReservation()
    if reserved > 0 { services.sink.release(bytes: reserved) }
  }

  private func forgetDeadline() {
    guard deadline != nil else { return }
    services.forgetDeadline(of: self)
    deadline = nil
  }
}

@available(*, unavailable) extension Exchange: Sendable {}
