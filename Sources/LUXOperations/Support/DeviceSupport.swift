import JSON
import LUXStore
import Postgres

/// The support commands for a device. Each action leaves a row in `support_actions` and one in `access_records`, in the same
/// transaction. Owned by its command and used on its thread.
package struct DeviceSupport {
    /// Why an action was rejected.
    package enum Rejection: Error, Equatable, CustomStringConvertible {
        case unknownDevice(String)
        case notConnected(String)
        case notMigrated
        /// A code that no app can send.
        case code(String, reason: String)

        package var description: String {
            switch self {
            case .unknownDevice(let uniqueID): "there is no device \"\(uniqueID)\""
            case .notConnected(let uniqueID): "the device \"\(uniqueID)\" is not connected"
            case .notMigrated: "the database has no table support_actions; run lux-server migrate"
            case .code(let column, let reason): "\(column) \(reason)"
            }
        }
    }

    /// What was done, and its row of `support_actions` as JSON.
    package struct Outcome {
        package var audit: String
        package var report: Report
    }

    private let store: SupportStore
    private let access: AccessRecords
    private let actor: Actor

    package init(session: PostgresSession, actor: Actor) {
        store = SupportStore(session: session)
        access = actor.records(session)
        self.actor = actor
    }

    /// Shows everything that helps to understand a device, and records whose data were shown.
    ///
    /// - Throws: ``Rejection``, `PostgresError`.
    package func show(_ uniqueID: String) throws -> Outcome {
        try transaction {
            let device = try device(uniqueID, isLocked: false)
            var report = Report()
            report.add("shown_data_of", .text(device.owner))
            report.add("id", .number(device.id))
            report.add("unique_id", .text(device.uniqueID))
            report.add("serial_code", .text(device.serialCode))
            report.add("mac_id", .text(device.macID))
            report.add("real_user_id", .number(device.childID))
            report.add("root_user_id", .number(device.userID))
            report.add("last_log_file_id", .number(device.lastLogFileID))
            for (name, value) in try store.details(of: device) {
                report.add(name, name.contains("log") ? .number(value.flatMap { Int64($0) }) : .text(value))
            }
            report.add("holes_since_last_restart", .list(try store.missingNumbers(of: device)))
            report.add("counter_restarts", .list(try store.counterRestarts(of: device)))
            report.add("numbers_stored_more_than_once", .list(try store.repeatedNumbers(of: device)))
            report.add("actions", .rows(try store.lastActions(of: device).map { (text: $0.text, json: $0.json) }))
            return Outcome(audit: try record("show", device), report: report)
        }
    }

    /// Disconnects a device as its user can: alias and time of connection are cleared, logs and their counter stay.
    ///
    /// - Throws: ``Rejection``, `PostgresError`.
    package func disconnect(_ uniqueID: String) throws -> Outcome {
        try transaction {
            let device = try device(uniqueID, isLocked: true)
            guard device.childID != nil else { throw Rejection.notConnected(uniqueID) }
            try store.disconnect(device)
            var report = Report()
            report.add("disconnected", .text(uniqueID))
            report.add("real_user_id", .number(device.childID))
            // Not the alias: readers of the trail must not read it either.
            return Outcome(audit: try record("disconnect", device), report: report)
        }
    }

    /// Sets `last_log_file_id`, which uploads only raise.
    ///
    /// - Throws: ``Rejection``, `PostgresError`.
    package func resetLogCounter(_ uniqueID: String, to number: Int64) throws -> Outcome {
        try transaction {
            let device = try device(uniqueID, isLocked: true)
            try store.setLastLogFileID(of: device, to: number)
            var report = Report()
            report.add("unique_id", .text(uniqueID))
            report.add("last_log_file_id_was", .number(device.lastLogFileID))
            report.add("last_log_file_id", .number(number))
            let detail: [(String, Report.Value)] = [("from", .number(device.lastLogFileID)), ("to", .number(number))]
            return Outcome(audit: try record("reset-log-counter", device, detail), report: report)
        }
    }

    /// Clears the codes, so that the next connection records those that the app sends.
    ///
    /// - Throws: ``Rejection``, `PostgresError`.
    package func clearCodes(_ uniqueID: String) throws -> Outcome {
        try changeCodes(uniqueID, "clear-codes") { _ in (nil, nil) }
    }

    /// Sets the codes that are not `nil`.
    ///
    /// - Throws: ``Rejection``, `PostgresError`.
    package func setCodes(_ uniqueID: String, serialCode: String?, macID: String?) throws -> Outcome {
        for (column, code) in [("serial_code", serialCode), ("mac_id", macID)] {
            guard let code else { continue }
            if code.isEmpty { throw Rejection.code(column, reason: "must not be empty; use device clear-codes") }
            if let reason = CodeRules.error(in: code, of: column) { throw Rejection.code(column, reason: reason) }
        }
        return try changeCodes(uniqueID, "set-codes") { (serialCode ?? $0.serialCode, macID ?? $0.macID) }
    }

    private func changeCodes(
        _ uniqueID: String, _ action: String,
        _ codes: (SupportStore.Device) -> (serialCode: String?, macID: String?)
    ) throws -> Outcome {
        try transaction {
            let device = try device(uniqueID, isLocked: true)
            let new = codes(device)
            try store.setCodes(of: device, serialCode: new.serialCode, macID: new.macID)
            var report = Report()
            report.add("unique_id", .text(uniqueID))
            report.add("serial_code_was", .text(device.serialCode))
            report.add("serial_code", .text(new.serialCode))
            report.add("mac_id_was", .text(device.macID))
            report.add("mac_id", .text(new.macID))
            let detail: [(String, Report.Value)] = [
                ("serial_code_was", .text(device.serialCode)), ("serial_code", .text(new.serialCode)),
                ("mac_id_was", .text(device.macID)), ("mac_id", .text(new.macID)),
            ]
            return Outcome(audit: try record(action, device, detail), report: report)
        }
    }

    // MARK: Parts

    private func device(_ uniqueID: String, isLocked: Bool) throws -> SupportStore.Device {
        guard let device = try store.device(uniqueID: uniqueID, isLocked: isLocked) else {
            throw Rejection.unknownDevice(uniqueID)
        }
        return device
    }

    private func record(
        _ action: String, _ device: SupportStore.Device, _ detail: [(String, Report.Value)] = []
    ) throws -> String {
        var members = Report()
        for (name, value) in detail { members.add(name, value) }
        // Whose data were shown or changed.
        if let childID = device.childID { members.add("real_user_id", .number(childID)) }
        if let userID = device.userID { members.add("root_user_id", .number(userID)) }
        let record = try access.begin(
            "device \(action)",
            AccessSubject(
                "device \(device.uniqueID)", userID: device.userID, childID: device.childID, deviceID: device.id),
            count: 1)
        try access.finish(record)
        return try store.record(action, of: device, by: actor.name, detail: members.json)
    }

    private func transaction(_ body: () throws -> Outcome) throws -> Outcome {
        do {
            return try store.session.transaction(body)
        } catch let error as PostgresError where error.sqlState == "42P01" {
            throw Rejection.notMigrated
        }
    }
}

extension SupportStore.Device {
    /// Whose data the device's row and logs are now.
    fileprivate var owner: String? {
        guard let childID else { return nil }
        return "child \(childID)" + (userID.map { " of user \($0)" } ?? "")
    }
}
