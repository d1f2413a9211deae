import JSON
import LUX
import TimeZones
@testable import LUXAPI

private let zone = WallClock(identifier: "Asia/Seoul")

/// What is taken as records is JSON in itself, and within its bounds.
@Sendable func fuzzDevlog(_ input: [UInt8]) {
    guard let zone, let records = try? DevlogBody.read(input, zone: zone) else { return }
    precondition((1...LogUpload.maximumRecords).contains(records.count))
    for record in records {
        precondition(record.childID >= 1 && record.deviceID >= 1 && !record.uniqueID.isEmpty)
        precondition(record.lastIntensity >= 0 && record.treatmentTime >= 0)
        precondition(record.finishFlag.map { (1...6).contains($0) } ?? true)
        let kind = try? JSONReader.read(record.detailData) { (reader) throws(JSONError) in
            let kind = try reader.kind()
            try reader.skipValue()
            precondition(reader.nulCount == 0)
            return kind
        }
        precondition(kind == .object)
    }
}

private let writable = Int64(-62_135_596_800_000_000)..<Int64(253_402_300_800_000_000)

/// A date that is taken reads back as itself.
@Sendable func fuzzDate(_ input: [UInt8]) {
    let text = String(decoding: input, as: UTF8.self)
    guard let zone, let time = Timestamp.parseISO8601(text.utf8, zone: zone) else { return }
    // In UTC the first and the last hours may lie outside of the years that can be written.
    guard writable.contains(time.microseconds) else { return }
    var bytes: [UInt8] = []
    time.appendISO8601(to: &bytes)
    let again = Timestamp.parseISO8601(String(decoding: bytes, as: UTF8.self).utf8, zone: zone)
    precondition(again.map { abs($0.microseconds - time.microseconds) < 1_000 } == true, text)
}
