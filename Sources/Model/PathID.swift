extension SeriesKey {
  /// The id of a way of requests: a hash of the way before it, of what is requested last, and of the
  /// version that answered.
  ///
  /// A key has no room for the version, and needs none: whoever reads a path tries the few versions
  /// that were seen of its service. While one version runs, a way is one series; while two do, it is
  /// two from their service on, and none before it.
  /// - Parameters:
  ///   - operation: the operation; a service or a peer that names none.
  ///   - version: `.none` where no span names one.
  ///   - parent: 0 for an entry point.
  public static func pathID(
    of operation: NameID, version: NameID = .none, below parent: UInt64
  ) -> UInt64 {
    var id = mixed(operation.raw, into: parent)
    if !version.isNone { id = mixed(version.raw, into: id) }
    return id
  }

  /// Never 0, which stands for no path.
  private static func mixed(_ part: UInt64, into before: UInt64) -> UInt64 {
    var mixed = (part ^ before &* 0x9E37_79B9_7F4A_7C15) &+ 0xD1B5_4A32_D192_ED03
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    mixed ^= mixed >> 31
    return mixed == 0 ? 1 : mixed
  }
}
