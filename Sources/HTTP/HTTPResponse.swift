/// A response before it is written. `Content-Length`, `Date` and `Connection` are the encoder's.
package struct HTTPResponse: Sendable {
    /// Its status.
    package var status: HTTPStatus
    /// Its fields.
    package var headers: HTTPHeaders
    /// Its content.
    package var body: [UInt8]

    package init(status: HTTPStatus, headers: HTTPHeaders = HTTPHeaders(), body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}
