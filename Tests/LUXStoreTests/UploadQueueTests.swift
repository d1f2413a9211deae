import Concurrency
import LUX
import Testing

@testable import LUXStore

/// The order of uploads and the shares of accounts, without a database.
@Suite struct UploadQueueTests {
    private static let start = MonotonicTime(nanoseconds: 0)

    /// An upload that somebody awaits until the test ends.
    private static func pending(_ user: Int64, device: Int64, records: Int = 1) -> PendingUpload {
        let record = DeviceLogRecord(
            childID: 1, deviceID: device, uniqueID: "u", logFileID: nil, date: Timestamp(microseconds: 0),
            finishFlag: nil, lastIntensity: 0, treatmentTime: 0, detailData: Array("{}".utf8))
        let upload = LogUpload(Array(repeating: record, count: records))
        return PendingUpload(upload, userID: user, arrived: start, deadline: start + .seconds(10))
    }

    /// Calls `body` while the uploads have a continuation, as an awaited upload has.
    private static func awaiting(_ uploads: [PendingUpload], _ body: @escaping () -> Void) async {
        guard let first = uploads.first else { return body() }
        _ = await withUnsafeContinuation {
            (continuation: UnsafeContinuation<Result<LogPlan.Counts, any Error>, Never>) in
            first.await(continuation)
            let rest = uploads.dropFirst()
            nonisolated(unsafe) let body = body
            Task {
                await awaiting(Array(rest), body)
                first.resume(.success(LogPlan.Counts()))
            }
        }
    }

    @Test func `takes what is ready in order of arrival, one upload for each account and device`() async {
        let queue = UploadQueue(limits: UploadLimits())
        let uploads = [
            Self.pending(1, device: 1), Self.pending(1, device: 2), Self.pending(1, device: 1),
            Self.pending(2, device: 1),
        ]
        await Self.awaiting(uploads) {
            for upload in uploads { #expect(queue.add(upload)) }
            let first = queue.take(.grouped, at: Self.start)
            #expect(
                first.map(ObjectIdentifier.init) == [uploads[0], uploads[1], uploads[3]].map(ObjectIdentifier.init))
            #expect(!queue.hasReady(in: .grouped))
            queue.finish(uploads[0])
            #expect(queue.take(.grouped, at: Self.start).map(ObjectIdentifier.init) == [ObjectIdentifier(uploads[2])])
        }
    }

    @Test func `a parked upload holds up its successors alone, until its retry is due`() async {
        let queue = UploadQueue(limits: UploadLimits())
        let uploads = [Self.pending(1, device: 1), Self.pending(1, device: 1), Self.pending(1, device: 2)]
        await Self.awaiting(uploads) {
            for upload in uploads { #expect(queue.add(upload)) }
            #expect(queue.take(.grouped, at: Self.start).count == 2)
            queue.finish(uploads[2])
            queue.park(uploads[0], at: Self.start)
            #expect(queue.take(.grouped, at: Self.start).isEmpty)
            let taken = queue.take(.grouped, at: Self.start + .seconds(1))
            #expect(taken.map(ObjectIdentifier.init) == [ObjectIdentifier(uploads[0])])
        }
    }

    @Test func `an account over its share is rejected alone, and has room again when an upload ends`() async {
        var limits = UploadLimits()
        limits.uploadsOfAccount = 2
        limits.recordsOfAccount = 100
        let queue = UploadQueue(limits: limits)
        let large = Self.pending(1, device: 1, records: 1_000)
        let uploads = [large, Self.pending(2, device: 2), Self.pending(2, device: 3)]
        await Self.awaiting(uploads) {
            for upload in uploads { #expect(queue.add(upload)) }
            #expect(!queue.add(Self.pending(1, device: 9)))
            #expect(!queue.add(Self.pending(2, device: 9)))
            #expect(queue.add(Self.pending(3, device: 9)))
            queue.finish(large)
            #expect(queue.add(Self.pending(1, device: 9)))
        }
    }

    @Test func `large uploads have their own lane, and a group takes no more than a share of one account`() async {
        var limits = UploadLimits()
        limits.batchRecordsOfAccount = 250
        let queue = UploadQueue(limits: limits)
        let large = Self.pending(1, device: 1, records: 251)
        let many = (0..<4).map { Self.pending(2, device: Int64(10 + $0), records: 100) }
        let other = Self.pending(3, device: 3)
        let uploads = [large] + many + [other]
        await Self.awaiting(uploads) {
            for upload in uploads { #expect(queue.add(upload)) }
            let group = queue.take(.grouped, at: Self.start)
            #expect(group.map(ObjectIdentifier.init) == [many[0], many[1], other].map(ObjectIdentifier.init))
            #expect(queue.take(.alone, at: Self.start).map(ObjectIdentifier.init) == [ObjectIdentifier(large)])
            #expect(
                queue.take(.grouped, at: Self.start).map(ObjectIdentifier.init) == many[2...].map(ObjectIdentifier.init)
            )
        }
    }

    @Test func `an upload that nobody awaits is dropped, but not before its predecessor has ended`() async {
        let queue = UploadQueue(limits: UploadLimits())
        let (first, dropped, last) = (
            Self.pending(1, device: 1), Self.pending(1, device: 1), Self.pending(1, device: 1)
        )
        await Self.awaiting([first, last]) {
            for upload in [first, dropped, last] { #expect(queue.add(upload)) }
            #expect(queue.take(.grouped, at: Self.start).count == 1)
            #expect(queue.take(.grouped, at: Self.start).isEmpty)
            queue.finish(first)
            #expect(queue.take(.grouped, at: Self.start).map(ObjectIdentifier.init) == [ObjectIdentifier(last)])
        }
    }

    @Test(arguments: [true, false])
    func `an account whose rows were locked, or whose upload was rejected, is written alone for a while`(
        checksLocks: Bool
    ) {
        let limits = UploadLimits()
        let queue = UploadQueue(limits: limits)
        let duration = checksLocks ? limits.lockSuspicion : limits.rejectionSuspicion
        queue.suspect(userID: 1, checksLocks: checksLocks, at: Self.start + (.zero - duration) + .seconds(1))
        let early = Self.pending(1, device: 1)
        #expect(queue.add(early))
        #expect(queue.hasReady(in: .alone) && !queue.hasReady(in: .grouped))
        #expect(early.checksLocks == checksLocks)
        queue.suspect(userID: 2, checksLocks: checksLocks, at: Self.start + (.zero - duration))
        let late = Self.pending(2, device: 2)
        #expect(queue.add(late))
        #expect(queue.hasReady(in: .grouped) && !late.checksLocks)
    }
}
