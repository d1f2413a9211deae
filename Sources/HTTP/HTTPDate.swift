import Bytes
import Glibc

/// The preferred format of dates in HTTP (IMF-fixdate, RFC 9110 section 5.6.7).
enum HTTPDate {
    private static let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// The bytes of a UTC time such as `Sun, 06 Nov 1994 08:49:37 GMT`.
    static func format(_ parts: tm) -> [UInt8] {
        let day = days[Int(parts.tm_wday) % 7]
        let month = months[Int(parts.tm_mon) % 12]
        var bytes = Array("\(day), ".utf8)
        bytes.append(decimal: Int64(parts.tm_mday), width: 2)
        bytes.append(contentsOf: " \(month) \(1900 + Int(parts.tm_year))".utf8)
        for (separator, number) in [(" ", parts.tm_hour), (":", parts.tm_min), (":", parts.tm_sec)] {
            bytes.append(contentsOf: separator.utf8)
            bytes.append(decimal: Int64(number), width: 2)
        }
        return bytes + " GMT".utf8
    }
}
