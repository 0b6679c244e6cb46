// The HTTP API over what the gateway knows.
//
// The routes are data (`RouteTable`): one table says which paths exist, which parameters each takes
// and what it answers, and from it come dispatch, the refusal of unknown parameters, 404 and 405
// with their hints, and the OpenAPI document. Hummingbird serves HTTP; its own router is left out
// because it would hold a second list of the same paths that could not say any of this.
//
// What the gateway knows comes through one protocol, `QueryBackend`, so every route is tested with
// a backend of values, without sockets. Status codes are chosen in one place, `QueryProblem.Kind`.
