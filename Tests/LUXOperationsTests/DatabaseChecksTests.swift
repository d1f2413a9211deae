import Postgres
import Testing

@testable import LUXOperations

/// Findings of lux-server doctor for databases that the tests do not have.
@Suite struct DatabaseChecksTests {
    @Test(arguments: [(140_013, false), (149_999, false), (150_000, true), (150_018, true), (180_001, true)])
    func `a version before 15 is an error`(_ version: Int, _ isWell: Bool) {
        let finding = DatabaseChecks.finding(version: version)
        #expect((finding.advice == nil) == isWell && finding.detail.hasPrefix("PostgreSQL \(version / 10_000)."))
    }

    @Test(arguments: [
        (SessionSharing.none, "none", true), (.transactions(carriesStatements: true), "with prepared", true),
        (.transactions(carriesStatements: false), "without prepared", true), (.statements, "statement mode", false),
    ])
    func `only a pooler without transactions is an error`(_ sharing: SessionSharing, _ text: String, _ isWell: Bool) {
        let finding = DatabaseChecks.finding(sharing: sharing)
        #expect((finding.advice == nil) == isWell && finding.detail.contains(text))
    }

    @Test(arguments: [(0, true), (1.9, true), (-1.9, true), (2.1, false), (-2.1, false), (-86_400, false)])
    func `clocks that are further apart than tokens tolerate are an error`(_ skew: Double, _ isWell: Bool) {
        #expect((DatabaseChecks.finding(skew: skew, allowed: 2).advice == nil) == isWell)
    }
}
