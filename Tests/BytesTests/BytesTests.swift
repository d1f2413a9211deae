import Bytes
import Foundation
import Testing

@Suite struct BytesTests {
    @Test func `classes of characters are those of ASCII, for each of the 256 bytes`() {
        for byte in UInt8.min ... .max {
            let scalar = Unicode.Scalar(byte)
            #expect(byte.isDigit == ("0"..."9").contains(scalar))
            #expect(byte.isLetter == (("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar)))
            #expect(byte.isUppercaseLetter == ("A"..."Z").contains(scalar))
            #expect(byte.isAlphanumeric == (byte.isDigit || byte.isLetter))
            let lower = scalar.isASCII ? Array(String(scalar).lowercased().utf8) : [byte]
            #expect([byte.lowercased] == lower)
            #expect(byte.hexadecimalValue == (scalar.isASCII ? UInt8(String(scalar), radix: 16) : nil))
        }
    }

    @Test func `decimal text has at least one digit and nothing else`() {
        #expect("0".utf8.isDecimal && "0123456789".utf8.isDecimal)
        for text in ["", "-1", "+1", "1 ", "1.0", "１", "1e3"] { #expect(!text.utf8.isDecimal, "\(text)") }
    }

    @Test(arguments: [0, 7, 10, -1, 1_234_567_890, .max, .min] as [Int64])
    func `a whole number is written as Swift writes it`(_ number: Int64) {
        var bytes = Array("x".utf8)
        bytes.append(decimal: number)
        #expect(String(decoding: bytes, as: UTF8.self) == "x\(number)")
    }

    @Test func `a number of fixed width has zeros in front and loses digits in front`() {
        var bytes: [UInt8] = []
        for (number, width) in [(5, 1), (5, 3), (0, 2), (12_345, 2)] as [(Int64, Int)] {
            bytes.append(decimal: number, width: width)
            bytes.append(UInt8(ascii: " "))
        }
        #expect(String(decoding: bytes, as: UTF8.self) == "5 005 00 45 ")
    }

    @Test func `a byte is written as two hexadecimal digits in lower case`() {
        for byte in UInt8.min ... .max {
            var bytes: [UInt8] = []
            bytes.append(hexadecimal: byte)
            bytes.append(hexadecimal: byte, uppercase: true)
            #expect(String(decoding: bytes, as: UTF8.self) == String(format: "%02x%02X", byte, byte))
        }
    }

    /// Every 97th day of the years 1 to 9999.
    @Test func `dates and days since 1970 convert both ways, as Foundation does`() throws {
        var calendar = Calendar(identifier: .iso8601)
        calendar.timeZone = try #require(TimeZone(identifier: "UTC"))
        for day in stride(from: -719_162 as Int64, through: 2_932_896, by: 97) {
            let date = CalendarDate(daysSinceEpoch: day)
            #expect(date.daysSinceEpoch == day && date.exists)
            guard day > -141_427, day % 10 == 0 else { continue }
            let parts = calendar.dateComponents(
                [.year, .month, .day], from: Date(timeIntervalSince1970: Double(day) * 86_400))
            #expect(
                [date.year, date.month, date.day]
                    == [parts.year, parts.month, parts.day].map { Int64($0 ?? 0) }, "day \(day)")
        }
    }

    @Test func `a month has the days of the Gregorian calendar`() {
        let lengths: [(year: Int64, month: Int64, days: Int64)] = [
            (2023, 2, 28), (2024, 2, 29), (1900, 2, 28), (2000, 2, 29), (2025, 4, 30), (2025, 12, 31), (2025, 1, 31),
        ]
        for (year, month, days) in lengths {
            #expect(CalendarDate(year: year, month: month, day: days).exists)
            #expect(!CalendarDate(year: year, month: month, day: days + 1).exists)
        }
        for (month, day) in [(0, 1), (13, 1), (1, 0)] as [(Int64, Int64)] {
            #expect(!CalendarDate(year: 2025, month: month, day: day).exists)
        }
    }

    @Test(
        arguments: [
            (0, 0, "1970-01-01T00:00:00.000Z"), (20_055, 8_153_610, "2024-11-28T02:15:53.610Z"),
            (-719_162, 86_399_999, "0001-01-01T23:59:59.999Z"), (2_932_896, 86_399_999, "9999-12-31T23:59:59.999Z"),
        ] as [(Int64, Int64, String)])
    func `a time is written as RFC 3339 has it`(_ day: Int64, _ milliseconds: Int64, _ expected: String) {
        var bytes: [UInt8] = []
        bytes.append(rfc3339: day, milliseconds: milliseconds)
        #expect(String(decoding: bytes, as: UTF8.self) == expected)
    }
}
