import Concurrency
import DequeModule
import EventLoop

/// The reads of one pool: they share one connection as a pipeline. Owned by the pool and confined to its loop, which its entries
/// check.
///
/// A session of this lane waits for a lock for a short time only (`PostgresConfiguration.readLockTimeout`), and a statement
/// that did not get its lock is rejected for half a second before one call of it tries again. So a table that somebody has locked
/// delays the reads of other tables by one such wait in each half second.
final class ReadLane {
    /// The calls of one groupable read that wait for the end of the turn or for a group in flight.
    private final class Group {
        let read: GroupableRead
        var waiting: [PipelinedRead] = []
        /// The statements in flight.
        var inFlight = 0

        init(_ read: GroupableRead) {
            self.read = read
        }
    }

    /// A statement that did not get its lock.
    private struct Block {
        var until: MonotonicTime
        var error: PostgresError
        /// The read that tries whether the lock is free, and those that wait for its outcome.
        var trial: PipelinedRead?
        var waiting: [PipelinedRead] = []
    }

    private static let blockInterval = Duration.milliseconds(500)
    /// The most calls in one statement: beyond this the share of one call in the costs of the statement is small.
    private static let maximumGroup = 64
    /// While one is in flight, the next one gathers.
    private static let maximumGroupsInFlight = 1

    private let loop: EventLoop
    private let configuration: PostgresConfiguration
    private let availability: DatabaseAvailability
    private var waiting: Deque<PipelinedRead> = []
    private var groups: [Group] = []
    private var groupedCount = 0
    /// The statements that did not get a lock, by their index.
    private var blocks: [Int: Block] = [:]
    private var isClosed = false

    /// The connection that all reads share; `nil` while there is none.
    var connection: PostgresConnection?

    init(_ configuration: PostgresConfiguration, loop: EventLoop, availability: DatabaseAvailability) {
        self.configuration = configuration
        self.loop = loop
        self.availability = availability
    }

    /// The reads that are not sent.
    var waitingCount: Int { waiting.count + groupedCount }

    func assertCurrent() { loop.assertCurrent() }

    // MARK: Calls

    /// - Throws: ``PostgresError``.
    func read(_ query: PostgresQuery, deadline: MonotonicTime) async throws(PostgresError) -> PostgresRows {
        loop.assertCurrent()
        return try await PipelinedRead.run(query, deadline: deadline, lane: self) { submit($0) }
    }

    /// - Throws: ``PostgresError``.
    func read(
        _ read: GroupableRead, _ query: PostgresQuery, deadline: MonotonicTime
    ) async throws(PostgresError) -> PostgresRows {
        loop.assertCurrent()
        return try await PipelinedRead.run(query, deadline: deadline, lane: self) { call in
            guard connection != nil, waitingCount < configuration.maximumWaiting else { return submit(call) }
            group(of: read).waiting.append(call)
            groupedCount += 1
        }
    }

    private func group(of read: GroupableRead) -> Group {
        if let group = groups.first(where: { $0.read === read }) { return group }
        let group = Group(read)
        groups.append(group)
        return group
    }

    /// Sends a read, or lets it wait for the connection.
    func submit(_ read: PipelinedRead) {
        loop.assertCurrent()
        guard isAdmitted(read) else { return }
        if waiting.isEmpty, let connection, connection.inFlight < configuration.maximumReadsInFlight {
            send(read, on: connection)
        } else if !isClosed, waiting.count < configuration.maximumWaiting {
            read.wait(until: .now() + configuration.connectionWait)
            waiting.append(read)
        } else {
            read.fail(PostgresError(kind: .poolExhausted, message: "too many reads are waiting"))
        }
    }

    /// Whether a read may be sent. If not, it has failed, or it waits for another read of its statement.
    private func isAdmitted(_ read: PipelinedRead) -> Bool {
        if availability.isUnavailable {
            read.fail(.knownUnavailable)
            return false
        }
        return blocks.isEmpty || !isBlocked(read)
    }

    /// A read that is sent again has a batch of its own, so that the failure of another read affects it once at most.
    private func send(_ read: PipelinedRead, on connection: PostgresConnection) {
        if read.isRepeat { connection.endBatch() }
        connection.send(read.query, for: read)
        if read.isRepeat { connection.endBatch() }
    }

    // MARK: Locked tables

    private func isBlocked(_ read: PipelinedRead) -> Bool {
        let index = read.query.statement.index
        guard let block = blocks[index], block.trial !== read else { return false }
        if block.trial != nil {
            blocks[index]?.waiting.append(read)
            return true
        }
        guard block.until <= loop.now else {
            read.fail(block.error)
            return true
        }
        blocks[index]?.trial = read
        return false
    }

    /// Called when a read has failed and is not sent again.
    func failed(_ read: PipelinedRead, _ error: PostgresError) {
        loop.assertCurrent()
        guard error.sqlState == PostgresError.lockNotAvailable else { return succeeded(read) }
        let waiting = blocks[read.query.statement.index]?.waiting ?? []
        blocks[read.query.statement.index] = Block(until: .now() + Self.blockInterval, error: error)
        for read in waiting { read.fail(error) }
    }

    /// Called when a read has got its lock.
    func succeeded(_ read: PipelinedRead) {
        loop.assertCurrent()
        guard !blocks.isEmpty, let block = blocks.removeValue(forKey: read.query.statement.index) else { return }
        for read in block.waiting { submit(read) }
    }

    // MARK: Turns and ticks

    /// Sends what gathered in this turn.
    func endTurn() {
        loop.assertCurrent()
        if !waiting.isEmpty { sendWaiting() }
        guard groupedCount > 0 else { return }
        for group in groups where !group.waiting.isEmpty { send(group) }
    }

    private func send(_ group: Group) {
        while !group.waiting.isEmpty, group.inFlight < Self.maximumGroupsInFlight {
            let count = min(group.waiting.count, Self.maximumGroup)
            let calls = Array(group.waiting[..<count])
            group.waiting.removeFirst(count)
            groupedCount -= count
            assert(groupedCount >= 0)
            guard let connection, connection.isOpen, waiting.isEmpty, blocks.isEmpty, !availability.isUnavailable,
                connection.inFlight < configuration.maximumReadsInFlight
            else {
                for call in calls { submit(call) }
                continue
            }
            group.inFlight += 1
            let grouped = GroupedRead(calls) {
                group.inFlight -= 1
                assert(group.inFlight >= 0)
            }
            connection.send(grouped.query(group.read), for: grouped)
        }
    }

    func sendWaiting() {
        loop.assertCurrent()
        guard let connection else { return }
        while connection.isOpen, connection.inFlight < configuration.maximumReadsInFlight,
            let read = waiting.popFirst()
        {
            if read.hasGivenUp(at: loop.now) { continue }
            if isAdmitted(read) { send(read, on: connection) }
        }
    }

    func tick() {
        loop.assertCurrent()
        if availability.isUnavailable { fail(.knownUnavailable) }
        if !waiting.isEmpty { waiting.removeAll { $0.hasGivenUp(at: loop.now) } }
        for (index, block) in blocks {
            blocks[index]?.waiting.removeAll { $0.hasGivenUp(at: loop.now) }
            // A trial that ended without an outcome, at its deadline.
            if let trial = block.trial, !trial.isWaiting { succeeded(trial) }
        }
        for group in groups where !group.waiting.isEmpty {
            let count = group.waiting.count
            group.waiting.removeAll { $0.hasGivenUp(at: loop.now) }
            groupedCount -= count - group.waiting.count
        }
    }

    /// Fails all reads that are not sent.
    private func fail(_ error: PostgresError) {
        // Not `Array(waiting)`: of an empty deque it writes to the empty array that all threads share, which ThreadSanitizer reports.
        let reads = waiting.map { $0 } + groups.flatMap(\.waiting) + blocks.values.flatMap(\.waiting)
        waiting = []
        blocks = [:]
        for group in groups { group.waiting = [] }
        groupedCount = 0
        for read in reads { read.fail(error) }
    }

    func close(_ reason: PostgresError) {
        loop.assertCurrent()
        isClosed = true
        fail(reason)
    }
}
