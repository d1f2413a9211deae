import Testing

@testable import LUX

@Suite struct RunMapTests {
    @Test func `finds each key where it was added, in runs and out of order`() {
        var map = RunMap<Int, String>()
        #expect(map.place(of: 7) == nil)
        for (place, key) in [7, -7, 0].enumerated() { #expect(map.add("value \(key)", for: key) == place) }
        for key in [7, 7, -7, 0, 0, 7, -7] {
            #expect(map.place(of: key).map { map.values[$0] } == "value \(key)")
            #expect(map.place(of: 8) == nil)
        }
        #expect(map.keys == [7, -7, 0])
    }
}
