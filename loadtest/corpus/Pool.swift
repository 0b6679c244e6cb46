/// Values that come and go, by number; a number is given again after it was released, in another
/// generation.
struct Pool<Value: Sendable>: Sendable {
  private var values: [Value] = []
  private var generations: [UInt32] = []
  private var free: [Int32] = []

  mutating func insert(_ value: Value) -> Int32 {
    if let number = free.popLast() {
      values[Int(number)] = value
      return number
    }
    values.append(value)
    generations.append(0)
    return Int32(values.count - 1)
  }

  mutating func release(_ number: Int32) {
    generations[Int(number)] &+= 1
    free.append(number)
  }

  func generation(_ number: Int32) -> UInt32 { generations[Int(number)] }

  subscript(number: Int32) -> Value {
    get { values[Int(number)] }
    _modify { yield &values[Int(number)] }
  }
}
