/// The origins whose pages may call the API (the CORS protocol of the Fetch standard). Never with credentials: the
/// token is a header field that the page itself must know.
package struct CORSPolicy: Sendable, Equatable {
    /// The origins as browsers write them; `nil` for all.
    package var origins: Set<String>?

    /// Creates the policy; `nil` allows all origins.
    package init(origins: Set<String>?) {
        self.origins = origins
    }

    /// The response to a preflight for a path with these methods; `nil` when the request is not a preflight, or its origin is not allowed.
    package func preflight(_ request: HTTPRequest, methods: String) -> HTTPResponse? {
        guard request.method == .options, request.headers.contains(.accessControlRequestMethod),
            allowed(request.headers) != nil
        else { return nil }
        var response = HTTPResponse(status: .noContent)
        response.headers.add("Access-Control-Allow-Methods", methods)
        response.headers.add(
            "Access-Control-Allow-Headers",
            "Authorization, Content-Type, X-Request-ID, Idempotency-Key, traceparent")
        // The longest that Chromium keeps one.
        response.headers.add("Access-Control-Max-Age", "7200")
        return response
    }

    /// Adds the fields of every response, errors included: a page must be able to read why.
    package func apply(to response: inout HTTPResponse, of request: HTTPHeaders) {
        // Caches must not reuse the response for one origin, or for none, for another (Fetch, CORS protocol and HTTP caches).
        if origins != nil { response.headers.add(.vary, "Origin") }
        guard let origin = allowed(request) else { return }
        response.headers.add(.accessControlAllowOrigin, origin)
        response.headers.add(.accessControlExposeHeaders, "X-Request-ID, Retry-After")
    }

    /// The value of `Access-Control-Allow-Origin`; `nil` when the request has no origin, several, or a strange one.
    private func allowed(_ headers: HTTPHeaders) -> String? {
        let sent = headers.values(for: .origin)
        guard sent.count == 1, let origin = sent.first else { return nil }
        guard let origins else { return "*" }
        return origins.contains(origin) ? origin : nil
    }
}
