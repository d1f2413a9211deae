import HTTP

/// A variable that changes one of `HTTPLimits`, whose default is that of `HTTPLimits()`. A value without state.
package struct LimitVariable<Value: Sendable>: Sendable, DescribedVariable {
    let variable: Variable<Value>
    let limit: any WritableKeyPath<HTTPLimits, Value> & Sendable

    init(
        _ name: String, _ limit: any WritableKeyPath<HTTPLimits, Value> & Sendable, _ parser: VariableParser<Value>,
        oldName: String? = nil, _ help: String
    ) {
        variable = Variable(name, parser, default: HTTPLimits()[keyPath: limit], oldName: oldName, help)
        self.limit = limit
    }

    package var description: VariableDescription { variable.description }
}

/// The limits of the HTTP server; each has its reason in `HTTPLimits`.
package struct LimitVariables: Sendable {
    let sizes: [LimitVariable<Int>] = [
        LimitVariable(
            "LUX_MAX_TARGET_BYTES", \.targetBytes, .integer(1_024...65_536, .bytes),
            "Size of a request target; more: 414."),
        LimitVariable(
            "LUX_MAX_HEADER_BYTES", \.headerBytes, .integer(1_024...1_048_576, .bytes),
            "Size of a header section; more: 431."),
        LimitVariable(
            "LUX_MAX_HEADER_FIELDS", \.headerFields, .integer(10...10_000, .fields),
            "Fields of a header section; more: 431."),
        LimitVariable(
            "LUX_MAX_BODY_BYTES", \.bodyBytes, .integer(1_024...16_777_216, .bytes), "Size of a body; more: 413."),
        LimitVariable(
            "LUX_MAX_CONNECTIONS", \.connections, .integer(1...1_000_000, .connections),
            "Connections in all, and never more than the process has descriptors for; more: 503 and closed."),
        LimitVariable(
            "LUX_MAX_CONNECTIONS_PER_CLIENT", \.connectionsPerClient, .integer(1...1_000_000, .connections),
            "Connections of one IPv4 address or IPv6 /64 network; more: 503 and closed."),
        LimitVariable(
            "LUX_MAX_REQUESTS_PER_CONNECTION", \.requestsPerConnection, .integer(1...1_000_000_000, .requests),
            "Requests on one connection; the response to the last one closes it."),
        LimitVariable(
            "LUX_MAX_REQUESTS_IN_FLIGHT", \.requestsInFlight, .integer(1...1_000_000, .requests),
            oldName: "LUX_MAX_REQUESTS_UNDER_WAY", "Requests in flight; more: 503."),
        LimitVariable(
            "LUX_MAX_BUFFERED_BYTES", \.bufferedBytes, .integer(1_048_576...1_099_511_627_776, .bytes),
            """
            Memory for unfinished requests and unread responses of all clients, a quarter for one address, an eighth for one \
            account; more: 503.
            """),
    ]

    let times: [LimitVariable<Duration>] = [
        LimitVariable("LUX_HANDSHAKE_TIMEOUT", \.handshakeTime, .seconds, "Time for a TLS handshake."),
        LimitVariable("LUX_HEADER_TIMEOUT", \.headerTime, .seconds, "Time for a header section, from its first byte."),
        LimitVariable("LUX_BODY_TIMEOUT", \.bodyTime, .seconds, "Time for a whole body."),
        LimitVariable(
            "LUX_BODY_STALL_TIMEOUT", \.bodyStall, .seconds, "Time for which a body may go without progress."),
        LimitVariable("LUX_IDLE_TIMEOUT", \.idleTime, .seconds, "Time for which a connection may stay unused."),
        LimitVariable("LUX_WRITE_TIMEOUT", \.writeTime, .seconds, "Time for which a response may go without progress."),
        LimitVariable(
            "LUX_DRAIN_TIMEOUT", \.drainTime, .seconds, "Time for requests in flight when the server stops."),
    ]
}
