import Testing

@testable import HTTP

@Suite struct OutputBufferTests {
    private func buffer(_ response: HTTPResponse) -> OutputBuffer {
        var buffer = OutputBuffer()
        buffer.append(response, isHead: false, version: .http11, keepAlive: true, hint: [], date: [])
        return buffer
    }

    @Test func `a large content is not copied, and a shared one is charged to no client`() throws {
        var response = HTTPResponse(status: .ok, body: [UInt8](repeating: 0x61, count: 1_400_000))
        for isShared in [false, true] {
            response.isShared = isShared
            var buffer = buffer(response)
            let head = buffer.unsent - response.body.count
            #expect(head > 0 && head < 1_000)
            #expect(buffer.unsentOwn == (isShared ? head : buffer.unsent))
            buffer.consume(head)
            #expect(buffer.unsentOwn == (isShared ? 0 : response.body.count))
            let own = response.body.withUnsafeBytes { $0.baseAddress }
            #expect(buffer.withUnsentBytes { $0.baseAddress } == own, "the same bytes in memory")
        }
    }

    @Test func `a response behind an unsent content follows it`() {
        let response = HTTPResponse(status: .ok, body: [UInt8](repeating: 0x61, count: 100_000))
        var buffer = buffer(response)
        buffer.append(response, isHead: false, version: .http11, keepAlive: true, hint: [], date: [])
        var received: [UInt8] = []
        while buffer.unsent > 0 {
            let part = buffer.withUnsentBytes { Array($0.prefix(7_777)) }
            received += part
            buffer.consume(part.count)
        }
        var expected = self.buffer(response)
        var one: [UInt8] = []
        while expected.unsent > 0 {
            let part = expected.withUnsentBytes { Array($0) }
            one += part
            expected.consume(part.count)
        }
        #expect(received == one + one)
    }
}
