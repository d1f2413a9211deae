import Testing

@testable import LUX

@Suite struct LogUploadTests {
    private func record(_ child: Int64, _ device: Int64, _ second: Int64, flag: Int16?, file: Int64?) -> DeviceLogRecord
    {
        DeviceLogRecord(
            childID: child, deviceID: device, uniqueID: "", logFileID: file,
            date: Timestamp(microseconds: second * 1_000_000), finishFlag: flag, lastIntensity: 0, treatmentTime: 0,
            detailData: [])
    }

    @Test func `lists what must be read, each id once in ascending order`() {
        let upload = LogUpload([
            record(7, 30, 100, flag: 1, file: 4), record(5, 20, 100, flag: nil, file: 9),
            record(7, 30, 100, flag: 2, file: 4), record(5, 20, 100, flag: nil, file: nil),
            record(5, 10, 100, flag: 3, file: nil), record(5, 10, 70, flag: nil, file: nil),
        ])
        #expect(upload.childIDs == [5, 7])
        #expect(upload.deviceIDs == [10, 20, 30])
        #expect(
            Set(upload.completeKeys) == [
                CompleteLogKey(deviceID: 30, logFileID: 4, start: Timestamp(microseconds: 100_000_000)),
                CompleteLogKey(deviceID: 10, logFileID: nil, start: Timestamp(microseconds: 100_000_000)),
            ])
        #expect(
            Set(upload.temporaryStarts) == [
                TemporaryStart(
                    pair: LogPair(deviceID: 20, childID: 5), start: Timestamp(microseconds: 70_000_000)),
                TemporaryStart(
                    pair: LogPair(deviceID: 10, childID: 5), start: Timestamp(microseconds: 40_000_000)),
            ])
    }

    @Test(
        arguments: [([], []), ([3, 3, 3], [3]), ([2, 1, 2, 1], [1, 2]), ([.max, .min, 0], [.min, 0, .max])]
            as [([Int64], [Int64])])
    func `each value once, in ascending order`(_ values: [Int64], _ expected: [Int64]) {
        #expect(distinct(values) == expected)
    }

    @Test func `is temporary when every record is`() {
        let temporary = record(1, 1, 0, flag: nil, file: nil)
        let complete = record(1, 1, 0, flag: 1, file: nil)
        #expect(LogUpload([temporary, temporary]).isTemporary)
        #expect(!LogUpload([temporary, complete]).isTemporary)
        #expect(!LogUpload([complete]).isTemporary)
    }
}
