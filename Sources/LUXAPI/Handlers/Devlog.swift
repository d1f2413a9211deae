import HTTP
import JSON
import LUX
import LUXStore

/// `POST devlog`: stores logs of treatments, all of a request or none.
@Sendable func devlog(_ request: DeviceRequest) async throws -> HTTPResponse {
    let records = try await DevlogBody.records(in: request.http.body, zone: request.services.zone)
    let upload = LogUpload(records)
    do {
        let counts = try await request.services.uploads.save(
            upload, userID: request.userID, deadline: request.store.deadline)
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
