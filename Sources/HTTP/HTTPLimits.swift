/// Every limit of size and time, with its default and what it protects.
package struct HTTPLimits: Sendable {
    /// Bytes of a request target; more is 414. The longest of the API is a tenth of it.
    package var targetBytes = 8 << 10
    /// Bytes of a header section with its request line; more is 431. A token of 8 KiB still fits. Holds for the trailers
    /// and chunk extensions of a body too.
    package var headerBytes = 16 << 10
    /// Fields of a header section; more is 431.
    package var headerFields = 100
    /// Bytes of content; more is 413. Some 4,500 log records of the usual size.
    package var bodyBytes = 1 << 20
    /// Bytes of a method; a longer one is 501, since no method of that length is known (RFC 9112 section 3).
    package var methodBytes = 32
    /// Bytes of one line of chunk size and extensions; more is 400. Extensions are only used to exhaust a server.
    package var chunkLineBytes = 256
    /// Connections in total; one more gets 503 and is closed, or is just closed on a TLS port. Each may cost some
    /// 50 KiB with TLS. Never more than the process has descriptors for.
    package var connections = 16_384
    /// Connections of one client address (of one /64 network in IPv6); more are treated in the same way. Phones behind one
    /// carrier's address translation share an address.
    package var connectionsPerClient = 4_096
    /// Requests on one connection; the response to the last one closes it, so that none outlives a change of certificate,
    /// key or address for long.
    package var requestsPerConnection = 10_000
    /// Requests in flight; one more is rejected with 503, except probes. More would only wait for the database.
    package var requestsInFlight = 4_096
    /// Bytes of unfinished requests and unread responses of all clients; more is rejected with 503. Without it, as many
    /// slow bodies as there are connections could fill the memory.
    package var bufferedBytes = 256 << 20
    /// Bytes of a buffer that a connection keeps for its next request; larger ones are released, as idle connections are not
    /// counted above.
    package var idleBufferBytes = 8 << 10
    /// From the start of a connection to the end of its TLS handshake.
    package var handshakeTime = Duration.seconds(10)
    /// From the first byte of a header section to its last: the longest that a slow client can occupy a connection.
    package var headerTime = Duration.seconds(10)
    /// Maximum time between two reads of a request body.
    package var bodyStall = Duration.seconds(15)
    /// From the first byte of a body to its last.
    package var bodyTime = Duration.seconds(60)
    /// Maximum idle time of a kept connection.
    package var idleTime = Duration.seconds(60)
    /// Maximum time a response may go without progress.
    package var writeTime = Duration.seconds(30)
    /// After a final response before the end of the body, what the client still sends is discarded: for this time in total, with
    /// pauses of at most `discardStall`, up to `discardBytes`. The times are nginx's lingering_time and lingering_timeout.
    package var discardTime = Duration.seconds(30)
    package var discardStall = Duration.seconds(5)
    package var discardBytes = 16 << 20
    /// When the server stops: the time for a connection without a complete request to send one.
    package var drainInputTime = Duration.seconds(2)
    /// Time for which the remaining input of a closed connection is read, so that the client gets the last response (RFC 9112
    /// section 9.6).
    package var lingerTime = Duration.seconds(2)
    /// Maximum time for requests in flight when the server stops.
    package var drainTime = Duration.seconds(10)
    /// Connections that the kernel keeps until they are accepted.
    package var acceptBacklog: Int32 = 1_024

    /// The defaults.
    package init() {}
}
