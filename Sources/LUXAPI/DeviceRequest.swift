import Bytes
import Concurrency
import HTTP
import LUX
import LUXStore

/// A request to a route that needs no token.
struct OpenRequest: Sendable {
    let services: APIServices
    let deadline: MonotonicTime
}

/// A request with a valid token: it cannot be created without a user. An immutable value.
struct DeviceRequest: Sendable {
    let http: HTTPRequest
    /// The user of the token.
    let userID: Int64
    /// The id in the response's `X-Request-ID` and in the log.
    let requestID: String
    /// The deadline of the handler.
    let deadline: MonotonicTime
    let services: APIServices

    /// The database, until the request's deadline.
    var store: DeviceStore { services.database.store(deadline: deadline) }

    /// A required query parameter that contains an id: a JSON integer of 1 or more.
    func id(_ name: String) throws(FieldError) -> Int64 {
        let text = try parameter(name)
        guard let id = Self.integer(text) else { throw FieldError(field: name, message: "must be an integer") }
        guard id >= 1 else { throw FieldError(field: name, message: "must be 1 or more") }
        return id
    }

    /// A required query parameter that contains text: not empty and without NUL.
    func text(_ name: String) throws(FieldError) -> String {
        let text = try parameter(name)
        guard !text.isEmpty else { throw FieldError(field: name, message: "must not be empty") }
        guard !text.utf8.contains(0) else {
            throw FieldError(field: name, message: "must not contain a NUL character")
        }
        return text
    }

    /// An optional query parameter.
    func optional(_ name: String) throws(FieldError) -> String? {
        let values = http.query.values(name)
        guard values.count <= 1 else { throw FieldError(field: name, message: "must be given once") }
        return values.first
    }

    private func parameter(_ name: String) throws(FieldError) -> String {
        guard let value = try optional(name) else { throw FieldError(field: name, message: "is required") }
        return value
    }

    /// The grammar of a JSON integer (RFC 8259 section 6, without fraction and exponent), in the range of `Int64`.
    static func integer(_ text: String) -> Int64? {
        let digits = text.utf8.drop { $0 == UInt8(ascii: "-") }
        guard let first = digits.first, digits.allSatisfy(\.isDigit),
            first != UInt8(ascii: "0") || digits.count == 1, text.utf8.count - digits.count <= 1
        else { return nil }
        return Int64(text)
    }
}
