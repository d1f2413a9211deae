import JSON
import LUX

/// The body of `PATCH update-alias`.
struct UpdateAliasBody {
    let deviceID: Int64
    let childID: Int64
    let alias: DeviceAlias

    /// - Throws: ``FieldError``.
    init(_ body: [UInt8]) throws(FieldError) {
        var device = JSONField<Int64>.absent
        var child = JSONField<Int64>.absent
        var name = JSONField<String>.absent
        var isObject = false
        var hasNUL = false
        var badNumber: Int?
        do throws(JSONError) {
            try JSONReader.read(body) { (reader) throws(JSONError) in
                guard try reader.kind() == .object else { return try reader.skipValue() }
                isObject = true
                try reader.object { (key, reader) throws(JSONError) in
                    switch key {
                    case "device_id": device = try reader.integerField()
                    case "real_user_id": child = try reader.integerField()
                    case "device_alias": name = try reader.stringField()
                    default: try reader.skipValue()
                    }
                }
                hasNUL = reader.nulCount > 0
                badNumber = reader.badNumber
            }
        } catch {
            throw FieldError(error)
        }
        guard isObject else { throw FieldError(field: "body", message: "must be a JSON object") }
        deviceID = try device.required("device_id", in: 1...Int64.max)
        childID = try child.required("real_user_id", in: 1...Int64.max)
        guard let alias = DeviceAlias(try name.required("device_alias", "a string")) else {
            throw FieldError(
                field: "device_alias",
                message: "must be 1 to 100 characters, at least one of them visible, without control characters")
        }
        guard !hasNUL else { throw .nul(in: "body") }
        if let badNumber { throw .number(at: badNumber, in: body) }
        self.alias = alias
    }
}
