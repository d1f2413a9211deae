import Testing

/// One rule of the upload of logs: what is sent, the response, and what must be stored then.
///
/// The world of each case, with nothing stored: a parent with the children `first` and `second`, to each of which the
/// device of the same name is connected, and a stranger with one child and no device. All times are of one day, in UTC.
/// Each upload is sent twice; the second time must change nothing and have the same response.
package struct LogRuleCase: Sendable, CustomTestStringConvertible {
    package enum User: Sendable { case parent, stranger }

    /// `absent` is an id that no row has.
    package enum Child: Sendable, CaseIterable { case first, second, stranger, absent }

    package enum Device: Sendable, CaseIterable { case first, second, absent }

    package struct Record: Sendable {
        package var child: Child
        package var device: Device
        /// Whether it names the `unique_id` that belongs to the device.
        package var hasRightUniqueID = true
        package var time: String
        package var flag: Int16?
        package var file: Int64?
        package var intensity: Int32
        /// `treatment_time`.
        package var seconds: Int32 = 60

        /// `treatment_date` as sent.
        package var date: String { "2025-03-01T\(time)Z" }

        static func temporary(
            _ time: String, _ intensity: Int32 = 2, for seconds: Int32 = 60, file: Int64? = nil,
            of child: Child = .first, on device: Device = .first
        ) -> Record {
            Record(
                child: child, device: device, time: time, flag: nil, file: file, intensity: intensity,
                seconds: seconds)
        }

        static func complete(
            _ time: String, _ file: Int64?, _ intensity: Int32 = 2, flag: Int16 = 1, of child: Child = .first,
            on device: Device = .first
        ) -> Record {
            Record(child: child, device: device, time: time, flag: flag, file: file, intensity: intensity)
        }

        var withWrongUniqueID: Record {
            var record = self
            record.hasRightUniqueID = false
            return record
        }
    }

    package enum Response: Sendable, Equatable {
        case temporary
        case complete
        /// The HTTP status and the `detail`.
        case rejected(Int, String)
    }

    package enum Step: Sendable {
        case upload([Record], by: User, Response)
        /// Connects a device to another child, or to none.
        case connect(Device, Child?)

        static func upload(_ records: [Record], _ response: Response) -> Step {
            .upload(records, by: .parent, response)
        }
    }

    /// A log as it must be stored in the end.
    package struct Log: Sendable, Equatable {
        package var child: Child
        package var device: Device
        package var file: Int64?
        /// `treatment_date`, as time of the day.
        package var start: String
        package var flag: Int16?
        package var intensity: Int32
        /// `temp_treatment_date`, as time of the day.
        package var temporaryStart: String?

        static func temporary(
            _ start: String, _ intensity: Int32 = 2, of child: Child = .first, on device: Device = .first
        ) -> Log {
            Log(child: child, device: device, file: nil, start: start, flag: nil, intensity: intensity)
        }

        static func complete(
            _ start: String, _ file: Int64?, _ intensity: Int32 = 2, flag: Int16 = 1, was temporaryStart: String? = nil,
            of child: Child = .first, on device: Device = .first
        ) -> Log {
            Log(
                child: child, device: device, file: file, start: start, flag: flag, intensity: intensity,
                temporaryStart: temporaryStart)
        }
    }

    package let name: String
    package let steps: [Step]
    /// Every log, in the order in which they were created.
    package let logs: [Log]
    /// `last_log_file_id` of the first and of the second device.
    package let lastLogFileIDs: [Int64]

    init(_ name: String, _ steps: [Step], _ logs: [Log], last: Int64 = 0, second: Int64 = 0) {
        self.name = name
        self.steps = steps
        self.logs = logs
        lastLogFileIDs = [last, second]
    }

    package var testDescription: String { name }

    /// Every rule.
    package static let all =
        temporaryRules + lateRules + completeRules + repeatRules + counterRules + pairRules + rejectionRules
}
