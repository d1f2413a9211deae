import Testing

@testable import HTTP

/// W3C Trace Context, section 3.2 and 4.3.
@Suite struct TraceContextTests {
    private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    private static let span = "00f067aa0ba902b7"

    @Test(arguments: [
        "00-\(trace)-\(span)-01", "00-\(trace)-\(span)-00", "00-\(trace)-\(span)-ff", "01-\(trace)-\(span)-01",
        "cc-\(trace)-\(span)-01", "fe-\(trace)-\(span)-01-what-the-future-holds", "01-\(trace)-\(span)-01-",
        "01-\(trace)-\(span)-01-\u{e9}",
    ]) func `is read`(_ field: String) throws {
        let context = try #require(TraceContext(field))
        #expect(context.traceID == Self.trace)
        #expect(context.spanID == Self.span)
    }

    @Test(arguments: [
        "", "00", "00-", "-", "00-\(trace)-\(span)", "00-\(trace)-\(span)-", "00-\(trace)-\(span)-1",
        "00-\(trace)-\(span)-01-", "00-\(trace)-\(span)-01-x", "00-\(trace)-\(span)-011", "00-\(trace)-\(span)-01 ",
        "01-\(trace)-\(span)-01x", "01-\(trace)-\(span)-01.x", "ff-\(trace)-\(span)-01", "FF-\(trace)-\(span)-01",
        "0-\(trace)-\(span)-01", "000-\(trace)-\(span)-01", "0x-\(trace)-\(span)-01",
        "00-\(trace.uppercased())-\(span)-01", "00-\(trace)-\(span.uppercased())-01", "00-\(trace)-\(span)-0A",
        "0A-\(trace)-\(span)-01", "00-00000000000000000000000000000000-\(span)-01", "00-\(trace)-0000000000000000-01",
        "00-\(trace.dropLast())-\(span)-01", "00-\(trace)0-\(span)-01", "00-\(trace)-\(span.dropLast())-01",
        "00_\(trace)-\(span)-01", "00-\(trace)_\(span)-01", "00-\(trace)-\(span)_01",
        "00-\(trace.dropLast())g-\(span)-01", "00-\(trace.dropLast(2))é-\(span)-01",
        "00-\(trace)-\(span)-01,00-\(trace)-\(span)-01",
    ]) func `is ignored`(_ field: String) {
        #expect(TraceContext(field) == nil)
    }

    @Test func `is ignored when there are two`() {
        var headers = HTTPHeaders()
        #expect(TraceContext(headers) == nil)
        headers.add("TraceParent", "00-\(Self.trace)-\(Self.span)-01")
        #expect(TraceContext(headers)?.traceID == Self.trace)
        headers.add("traceparent", "00-\(Self.trace)-\(Self.span)-01")
        #expect(TraceContext(headers) == nil)
    }
}
