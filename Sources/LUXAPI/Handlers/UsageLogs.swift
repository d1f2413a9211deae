import HTTP
import JSON
import LUX
import LUXStore

/// `GET usage-logs`: the logs of a child, newest first, page by page.
@Sendable func usageLogs(_ request: DeviceRequest) async throws -> HTTPResponse {
    let query = try request.usageLogQuery()
    let (logs, hasMore) = try await request.store.usageLogs(query, userID: request.userID)
    let next = hasMore ? logs.last.map { UsageLogCursor.text($0.position, of: query) } : nil
    return .json { json in
        json.arrayMember("logs") { array in
            for log in logs { array.object { log.write(to: &$0) } }
        }
        json.member("next_cursor", next)
    }
}

extension DeviceRequest {
    fileprivate func usageLogQuery() throws(FieldError) -> UsageLogQuery {
        var query = UsageLogQuery(
            childID: try id("real_user_id"), deviceID: try optionalID("device_id"), from: try optionalDate("from"),
            to: try optionalDate("to"), limit: 100)
        if let limit = try optional("limit") {
            guard let limit = Self.integer(limit) else {
                throw FieldError(field: "limit", message: "must be an integer")
            }
            guard (1...500).contains(limit) else { throw FieldError(field: "limit", message: "must be 1 to 500") }
            query.limit = limit
        }
        if let cursor = try optional("cursor") {
            guard let position = UsageLogCursor.position(cursor, of: query) else {
                throw FieldError(
                    field: "cursor", message: "must be the next_cursor of a page with the same child, device and span")
            }
            query.after = position
        }
        return query
    }

    private func optionalID(_ name: String) throws(FieldError) -> Int64? {
        try optional(name) == nil ? nil : id(name)
    }

    private func optionalDate(_ name: String) throws(FieldError) -> Timestamp? {
        guard let text = try optional(name) else { return nil }
        guard let date = Timestamp.parseISO8601(text.utf8, zone: services.zone) else {
            throw FieldError(field: name, message: "must be an ISO 8601 date-time")
        }
        return date
    }
}

extension UsageLog {
    /// Eleven members, always in this order.
    fileprivate func write(to json: inout JSONWriter) {
        json.member("id", position.id)
        json.member("device_id", deviceID)
        json.member("real_user_id", childID)
        json.member("log_file_id", logFileID)
        json.member("treatment_date", position.start)
        json.member("finish_flag", finishFlag)
        json.member("last_intensity", lastIntensity)
        json.member("treatment_time", treatmentTime)
        json.member("detail_data", raw: { $0.append(contentsOf: (detailData ?? "null").utf8) })
        json.member("created_at", createdAt)
        json.member("updated_at", updatedAt)
    }
}
