/// A response before it is written. `Content-Length`, `Date` and `Connection` are the encoder's.
public struct HTTPResponse: Sendable {
    /// Its status.
    public var status: HTTPStatus
    /// Its fields.
    public var headers: HTTPHeaders
    /// Its content.
    public var body: [UInt8]

    /// Makes a response.
    public init(status: HTTPStatus, headers: HTTPHeaders = HTTPHeaders(), body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}
