import Concurrency
import Testing

@testable import HTTP

@Suite struct MemoryTrimTests {
    @Test func `trims once after a burst of connections or of bytes, and not again within five seconds`() {
        var trim = MemoryTrim()
        let start = MonotonicTime.now()
        func isDue(_ connections: Int, _ released: Int = 0, after seconds: Int) -> Bool {
            trim.isDue(connections: connections, released: released, now: start + .seconds(seconds))
        }
        #expect(!isDue(1_000, after: 0))
        #expect(!isDue(1_000 - MemoryTrim.connections + 1, after: 1))
        #expect(isDue(1_000 - MemoryTrim.connections, after: 1))
        #expect(!isDue(1_000 - MemoryTrim.connections, after: 2))
        #expect(!isDue(0, after: 3), "the rest of the burst waits")
        #expect(isDue(0, after: 6))
        #expect(!isDue(0, MemoryTrim.bytes, after: 12))
        #expect(isDue(0, MemoryTrim.bytes + 1, after: 13))
        #expect(!isDue(0, MemoryTrim.bytes + 1, after: 14))
        #expect(isDue(0, after: 18))
        #expect(!isDue(0, after: 30))
    }

    @Test func `trims again for the rest of a burst that ends slowly`() {
        var trim = MemoryTrim()
        let start = MonotonicTime.now()
        func isDue(_ connections: Int, after seconds: Int) -> Bool {
            trim.isDue(connections: connections, released: 0, now: start + .seconds(seconds))
        }
        #expect(!isDue(600, after: 0))
        #expect(isDue(300, after: 1))
        #expect(!isDue(226, after: 7), "less than a quarter")
        #expect(isDue(225, after: 8))
        #expect(isDue(30, after: 14))
        #expect(!isDue(15, after: 20))
        #expect(isDue(0, after: 26))
        #expect(!isDue(0, after: 32))
    }
}
