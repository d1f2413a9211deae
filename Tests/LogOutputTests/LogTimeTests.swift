import Testing

@testable import LogOutput

@Suite struct LogTimeTests {
    @Test(
        arguments: [
            (0, 0, "1970-01-01T00:00:00.000Z"), (951_782_399, 7, "2000-02-28T23:59:59.007Z"),
            (951_782_400, 0, "2000-02-29T00:00:00.000Z"), (951_868_800, 999, "2000-03-01T00:00:00.999Z"),
            (1_709_164_800, 0, "2024-02-29T00:00:00.000Z"), (1_735_689_599, 0, "2024-12-31T23:59:59.000Z"),
            (1_740_787_200, 0, "2025-03-01T00:00:00.000Z"), (4_107_542_400, 0, "2100-03-01T00:00:00.000Z"),
        ]) func `is RFC 3339 in UTC with milliseconds`(_ seconds: Int, _ milliseconds: Int, _ text: String)
    {
        var bytes: [UInt8] = []
        LogTime(seconds: seconds, milliseconds: milliseconds).append(to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == text)
    }
}
