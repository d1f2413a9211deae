/// The numbers (`log_file_id`) of a device's complete logs: the highest one, and whether the device began again.
///
/// A value; never throws. The device counts its logs up, and after a factory reset it begins again. The app sends the logs
/// above `last`: a number that is too high loses treatments, after one that is too low the app only sends logs again.
package struct LogCounter: Sendable, Equatable {
    /// `last_log_file_id` of the device.
    package var last: Int64
    /// The start of the log that showed the last restart; logs that started before it do not count.
    package var restart: Timestamp?
    /// The latest start among the complete logs that have a number. Read from the logs, not stored with the device.
    package var latestStart: Timestamp?

    package init(last: Int64 = 0, restart: Timestamp? = nil, latestStart: Timestamp? = nil) {
        self.last = last
        self.restart = restart
        self.latestStart = latestStart
    }

    /// Counts a record that creates or completes a log.
    ///
    /// - Returns: whether it shows that the device's counter has restarted.
    mutating func countLog(_ number: Int64, start: Timestamp) -> Bool {
        let isRestart = number < last && latestStart.map { start > $0 } ?? false
        if isRestart {
            last = number
            restart = start
        } else {
            countRepeat(number, start: start)
        }
        latestStart = max(start, latestStart ?? start)
        return isRestart
    }

    /// Counts a record whose log is stored already: it never shows a restart.
    mutating func countRepeat(_ number: Int64, start: Timestamp) {
        if includes(start) { last = max(last, number) }
    }

    /// Whether a log with this start counts.
    func includes(_ start: Timestamp) -> Bool { restart.map { start >= $0 } ?? true }
}

/// Finds out whether the numbers of one device in one upload leave a hole below the highest one. A value; never throws.
struct NumberHoles {
    /// The highest number before the upload, or the one before the first number of a device that had none.
    private var base: Int64?
    /// May contain a number twice.
    private var numbers: [Int64] = []

    init(_ counter: LogCounter) {
        base = counter.latestStart == nil ? nil : counter.last
    }

    mutating func add(_ number: Int64) { numbers.append(number) }

    /// The device's counter has restarted with this number.
    mutating func restart(at number: Int64) {
        base = number
        numbers.removeAll()
    }

    /// Whether a number between the base and `last` is missing.
    func isLeft(below last: Int64) -> Bool {
        let base = base ?? (numbers.min() ?? last) - 1
        let counted = distinct(numbers.filter { $0 > base && $0 <= last })
        return last - base > Int64(counted.count)
    }
}

/// A temporary log that has become complete, as far as late repeats of its temporary records go.
package struct CompletedTemporary: Sendable, Equatable {
    /// How far the start of the complete log may be from that of the temporary one for both to be the same treatment for sure.
    package static let sameTreatment: Int64 = 120

    /// Whether the complete log starts within ``sameTreatment`` seconds of the temporary one.
    package var isSameTreatment: Bool
    /// The `treatment_time` of the temporary log when it became complete, if known.
    package var treatmentTime: Int32?

    package init(isSameTreatment: Bool, treatmentTime: Int32?) {
        self.isSameTreatment = isSameTreatment
        self.treatmentTime = treatmentTime
    }

    init(temporaryStart: Timestamp, start: Timestamp, treatmentTime: Int32?) {
        isSameTreatment =
            start >= temporaryStart.adding(seconds: -Self.sameTreatment)
            && start <= temporaryStart.adding(seconds: Self.sameTreatment)
        self.treatmentTime = treatmentTime
    }

    /// Several temporary logs of one pair and one start can have become complete; a record is late because of any of them.
    mutating func add(_ other: CompletedTemporary) {
        isSameTreatment = isSameTreatment || other.isSameTreatment
        treatmentTime = [treatmentTime, other.treatmentTime].compactMap { $0 }.max()
    }

    /// Whether a temporary record with the same start contains nothing new.
    func makesLate(_ record: DeviceLogRecord) -> Bool {
        isSameTreatment || treatmentTime.map { record.treatmentTime <= $0 } ?? false
    }
}
