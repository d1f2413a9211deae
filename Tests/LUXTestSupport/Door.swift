/// A way for a request to reach the product: a running server, or the responder in the test process.
package protocol Door: Sendable {
    /// Sends the bytes of one request and waits for the response.
    func send(_ request: String, method: String) throws -> HTTPReply
}
