import Testing

@testable import LUXOperations

@Suite struct ProgressBarTests {
    @Test(arguments: [
        (0.0, 0, "  0 %"), (0.005, 0, "  0 %"), (0.25, 10, " 25 %"), (0.999, 39, " 99 %"), (1, 40, "100 %"),
        (-1, 0, "  0 %"), (7, 40, "100 %"),
    ]) func `is as long as the work done`(_ share: Double, _ filled: Int, _ percent: String) {
        let bar = String(repeating: "#", count: filled) + String(repeating: "-", count: 40 - filled)
        #expect(ProgressBar.line(share) == "[\(bar)] \(percent)")
    }
}
