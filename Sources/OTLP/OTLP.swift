// OTLP: bytes ⇄ span batches, and the replies.
//
//   body ─▶ WireScan ─▶ libprotobuf-c in an Arena ─▶ ProtobufDecoder ─┐
//                                                                     ├─▶ SpanBuilder ─▶ batch
//   body ─▶ JSONScanner ─▶ OTLPJSONReader ────────────────────────────┘
//
// Both forms end in the same calls to one builder, so they cannot come to mean different things.
//
// Why libprotobuf-c, and why a scan before it: the generated C follows every field of the published
// definitions, but it recurses as deep as a sender nests, allocates whatever a sender asks for, and
// refuses a message for one unknown group. The scan settles all three in one pass, and what it
// says of the memory is exact, so that the arena is one block. Unpacking by hand would be faster
// still and would be ours to keep right for ever.
//
// What a request is refused for as a whole is a `DecodeError`; a bad span is left out alone and
// told of in `Rejections`. `RPCStatus` and `ExportResponse` are how the two are said to the sender.
