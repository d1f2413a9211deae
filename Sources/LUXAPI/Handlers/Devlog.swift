import Glibc
import HTTP
import JSON
import LUX
import LUXStore

/// `POST devlog`: stores logs of treatments, all of a request or none.
@Sendable func devlog(_ request: DeviceRequest) async throws -> HTTPResponse {
    let records = try await DevlogBody.records(in: request.http.body, zone: request.services.zone)
    let upload = LogUpload(records)
    request.reportImplausibleDates(of: upload)
    do {
        let counts = try await request.services.uploads.save(
            upload, userID: request.userID, deadline: request.deadline)
        request.services.counted.count(counts)
    } catch let error as RejectedWrite {
        request.services.counted.count(error)
        throw error
    }
    return .json { json in
        json.member("statusCode", 200)
        json.member(
            "message", upload.isTemporary ? "Temp devlog saved successfully" : "Devlog saved successfully")
    }
}

extension DeviceRequest {
    /// The clock of a phone or device can be wrong: the records are stored, and the operator gets a log line and a metric.
    fileprivate func reportImplausibleDates(of upload: LogUpload) {
        let places = upload.implausibleDates(now: Timestamp(microseconds: Int64(time(nil)) * 1_000_000))
        guard let first = places.first else { return }
        services.counted.count(implausibleDates: places.count)
        var date: [UInt8] = []
        upload.records[first].date.appendISO8601(to: &date)
        services.onImplausibleDates(
            requestID,
            "log_arrays[\(first)].detail_data.treatment_date: \(String(decoding: date, as: UTF8.self)), "
                + "\(places.count) of \(upload.records.count) records")
    }
}
