/// A verdict, and the answer it came in.
struct GateReply {
  var verdict: GateAnswer
  var answer: HTTPAnswer
}
