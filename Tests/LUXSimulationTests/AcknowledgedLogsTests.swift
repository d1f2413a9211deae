import Testing

@testable import LUXSimulation

/// The generator's own record finds what the database has lost or has too much of.
@Suite struct AcknowledgedLogsTests {
    private static let upload = PhoneStep.upload([
        PhoneRecord(start: 100, file: 1, treatmentTime: 600), PhoneRecord(start: 200, file: 2, treatmentTime: 600),
    ])
    private static let temporary = PhoneStep.upload([PhoneRecord(start: 300, file: nil, treatmentTime: 30)])
    private static let sum = AcknowledgedLogs.mark(file: 1, start: 100) + AcknowledgedLogs.mark(file: 2, start: 200)

    @Test func `finds each kind of difference`() {
        var logs = AcknowledgedLogs()
        for step in [Self.upload, Self.temporary] {
            logs.begin(step)
            logs.acknowledge(step)
        }
        let right = StoredCounts(complete: 2, temporary: 1, sum: Self.sum, last: 2)
        #expect(logs.difference(right) == nil)
        let cases: [(AcknowledgedLogs.Difference, (inout StoredCounts) -> Void)] = [
            (.lost, { $0.complete = 1 }), (.extra, { $0.complete = 3 }), (.otherLogs, { $0.sum += 1 }),
            (.secondTemporaryLog, { $0.temporary = 2 }), (.lostTemporaryLog, { $0.temporary = 0 }),
            (.counter, { $0.last = 1 }),
        ]
        for (difference, change) in cases {
            var rows = right
            change(&rows)
            #expect(logs.difference(rows) == difference)
        }
    }

    @Test func `an upload without a response may be stored or not, but nothing more`() {
        var logs = AcknowledgedLogs()
        logs.begin(Self.upload)
        for complete: Int32 in 0...2 { #expect(logs.difference(StoredCounts(complete: complete)) == nil) }
        #expect(logs.difference(StoredCounts(complete: 3)) == .extra)
        logs.acknowledge(Self.upload)
        logs.begin(Self.temporary)
        #expect(logs.difference(StoredCounts(complete: 1)) == .lost)
    }

    @Test func `a complete log takes over the temporary one`() {
        var logs = AcknowledgedLogs()
        for step in [Self.temporary, Self.upload] {
            logs.begin(step)
            logs.acknowledge(step)
        }
        #expect(logs.difference(StoredCounts(complete: 2, temporary: 1, sum: Self.sum, last: 2)) == .extraTemporaryLog)
    }
}
