import EventLoop

/// Sends every request to the same target over HTTPS (308, RFC 9110 section 15.4.9), which keeps method and body.
public final class RedirectResponder: HTTPResponder {
    private let port: Int

    /// - Parameter port: where HTTPS is spoken.
    public init(port: Int) {
        self.port = port
    }

    /// The redirection; part of `HTTPResponder`.
    public func respond(to request: HTTPRequest, received: MonotonicTime) async -> HTTPResponse {
        // The parser has found Host to be an authority without user information.
        guard let authority = request.headers.first("host"), request.target.utf8.first == UInt8(ascii: "/") else {
            return refuse(.badRequest, reason: "no origin to redirect to")
        }
        var response = HTTPResponse(status: .permanentRedirect)
        let suffix = port == 443 ? "" : ":\(port)"
        response.headers.add("Location", "https://\(Self.host(in: authority))\(suffix)\(request.target)")
        return response
    }

    /// The answer to what is no request; part of `HTTPResponder`.
    public func refuse(_ status: HTTPStatus, reason: String) -> HTTPResponse {
        HTTPResponse(status: status)
    }

    /// An authority without its port.
    private static func host(in authority: String) -> Substring {
        let bytes = authority.utf8
        let end = bytes.lastIndex(of: UInt8(ascii: "]")) ?? bytes.startIndex
        let colon = bytes[end...].firstIndex(of: UInt8(ascii: ":")) ?? bytes.endIndex
        return authority[..<colon]
    }
}
