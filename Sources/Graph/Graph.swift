// What users read: one merged window becomes nodes, edges and coverage.
//
// Everything here is a pure function of a `GraphInput`. The store and the open traces are merged
// before, the answer is written to the network after; so each rule (ids, shares, neighbourhoods,
// renderings) can be tested with values alone, and `spangate analyze` without a server answers
// with the same code as the gateway.
//
// One pass over the window sorts its series by node (`Gathering`); what users see is then built in
// the order of ids, so the same window always gives the same bytes. Text is written without
// Foundation: a graph of a thousand services is some megabytes of JSON, asked for every few
// seconds by dashboards.
