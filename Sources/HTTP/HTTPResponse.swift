/// A response before it is written. `Content-Length`, `Date` and `Connection` are the encoder's.
package struct HTTPResponse: Sendable {
    package var status: HTTPStatus
    package var headers: HTTPHeaders
    package var body: [UInt8]
    /// Whether the content is the same array for all clients, so that it is in memory once.
    package var isShared = false

    package init(status: HTTPStatus, headers: HTTPHeaders = HTTPHeaders(), body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}
