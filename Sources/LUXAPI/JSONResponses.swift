import HTTP
import JSON
import LUX

extension HTTPResponse {
    /// A JSON object.
    static func json(status: HTTPStatus = .ok, _ members: (inout JSONWriter) -> Void) -> HTTPResponse {
        var writer = JSONWriter()
        writer.object(members)
        return json(status: status, bytes: writer.bytes)
    }

    /// A JSON array.
    static func jsonArray(_ elements: (inout JSONWriter) -> Void) -> HTTPResponse {
        var writer = JSONWriter()
        writer.array(elements)
        return json(bytes: writer.bytes)
    }

    /// A JSON text that was written already.
    static func json(status: HTTPStatus = .ok, bytes: [UInt8]) -> HTTPResponse {
        var headers = HTTPHeaders()
        headers.add(.contentType, "application/json")
        return HTTPResponse(status: status, headers: headers, body: bytes)
    }
}

extension JSONWriter {
    /// Writes a member that is a time: UTC, three decimals.
    mutating func member(_ name: StaticString, _ time: Timestamp) {
        member(
            name,
            raw: { bytes in
                bytes.append(UInt8(ascii: "\""))
                time.appendISO8601(to: &bytes)
                bytes.append(UInt8(ascii: "\""))
            })
    }
}

extension Device {
    /// The eleven members of the API page, in its order.
    func write(to json: inout JSONWriter) {
        json.member("id", id)
        writeConnection(to: &json)
        writeIdentity(to: &json)
    }

    fileprivate func writeConnection(to json: inout JSONWriter) {
        json.member("real_user_id", realUserID)
        json.member("project_id", projectID)
        json.member("hardware_id", hardwareID)
        json.member("now_firmware_id", nowFirmwareID)
    }

    fileprivate func writeIdentity(to json: inout JSONWriter) {
        json.member("unique_id", uniqueID)
        json.member("serial_code", serialCode)
        json.member("device_alias", deviceAlias)
        json.member("mac_id", macID)
        json.member("created_at", createdAt)
        json.member("last_log_file_id", lastLogFileID)
    }
}

extension ChildDevice {
    /// The seventeen members of the API page, in its order.
    func write(to json: inout JSONWriter) {
        json.member("id", device.id)
        device.writeConnection(to: &json)
        json.member("firmware_version", firmwareVersion)
        device.writeIdentity(to: &json)
        json.member("root_user_id", rootUserID)
        json.member("first_name", firstName)
        json.member("last_name", lastName)
        json.member("birthdate", birthdate)
        json.member("gender", gender)
    }
}
