import LUX
import Testing

/// The small values of a device: alias, MAC address, phone number of its owner, whose it is.
@Suite struct DeviceValueTests {
    @Test func `trims an alias and refuses what it may not be`() {
        let hundred = String(repeating: "가", count: 100)
        let cases: [(text: String, value: String?)] = [
            ("living room", "living room"), ("  a b\t", "a b"), ("\u{3000}거실\u{A0}\u{2028}", "거실"),
            ("\n\u{85}x\r\n", "x"),
            (hundred, hundred), (" \(hundred) ", hundred), (hundred + "가", nil), ("", nil), (" \t\u{2003}", nil),
            ("a\u{0}b", nil), ("a\tb", nil), ("a\nb", nil), ("a\u{7F}b", nil), ("a\u{9F}b", nil), ("a\u{85}b", nil),
            ("\u{0}a", nil), ("a\u{200B}b", "a\u{200B}b"), ("\u{200B}", "\u{200B}"), ("\u{AD}", "\u{AD}"),
            // One character, 101 scalars: scalars are what counts.
            ("e" + String(repeating: "\u{301}", count: 100), nil),
            ("e" + String(repeating: "\u{301}", count: 99), "e" + String(repeating: "\u{301}", count: 99)),
            // A combining mark after a space at the start joins it into one character, and the space goes all the same.
            (" \u{301}a", "\u{301}a"), ("👨‍👩‍👧", "👨‍👩‍👧"),
        ]
        for (text, value) in cases {
            let alias = DeviceAlias(text)?.value
            #expect(alias.map { Array($0.utf8) } == value.map { Array($0.utf8) }, "\(text.debugDescription)")
        }
    }

    @Test func `knows two MAC addresses of one device`() {
        let cases: [(one: String, other: String, same: Bool)] = [
            ("41AD", "41AD", true), ("41AD", "41ad", true), ("00:1B:44:11:41:AD", "41AD", true),
            ("00-1b-44-11-41-ad", "41AD", true), ("001b.4411.41ad", "41AD", true), ("00 1b 44 11 41 ad", "41:AD", true),
            ("001B441141AD", "00:1b:44:11:41:ad", true), ("001B441141AD", "1141AD", true),
            ("41AD", "41AE", false), ("001B441141AD", "1AD", false), ("1AD", "1AD", true), ("AD", "41AD", false),
            ("001B441141AD", "001B", false), ("001B441141AD", "4411", false), ("001B441141AD", "011B441141AD", false),
            ("", "41AD", false), ("", "", true), (":::", "-", true), ("4:1-A.D", "0041ad", true),
            ("test1234", "test1234", true), ("test1234", "TEST1234", true), ("test1234", "est1235", false),
        ]
        for (one, other, same) in cases {
            #expect(MACAddress.isSameDevice(one, other) == same, "\(one) and \(other)")
            #expect(MACAddress.isSameDevice(other, one) == same, "\(other) and \(one)")
        }
    }

    @Test func `reads phone numbers and knows which Alimtalk reaches`() {
        let cases: [(text: String, e164: String?, isUsable: Bool)] = [
            ("+821012345678", "+821012345678", true), ("010-1234-5678", "+821012345678", true),
            ("01012345678", "+821012345678", true), ("+82 10-1234-5678", "+821012345678", true),
            ("+82 010-1234-5678", "+821012345678", true), ("(010) 1234.5678", "+821012345678", true),
            ("011-123-4567", "+82111234567", true), ("011-1234-5678", "+821112345678", true),
            ("016-123-4567", "+82161234567", true), ("0171234567", "+82171234567", true),
            ("018-123-4567", "+82181234567", true), ("019-1234-5678", "+821912345678", true),
            ("010-123-4567", "+82101234567", false), ("010-1234-56789", nil, false),
            ("011-123-456", "+8211123456", false),
            ("+8210123456789", "+8210123456789", false), ("012-1234-5678", "+821212345678", false),
            ("013-1234-5678", "+821312345678", false), ("015-1234-5678", "+821512345678", false),
            ("02-123-4567", "+8221234567", false), ("070-1234-5678", "+827012345678", false),
            ("+12025550123", "+12025550123", false), ("+4915112345678", "+4915112345678", false),
            ("821012345678", nil, false), ("+0101234567", nil, false), ("+82", nil, false), ("", nil, false),
            ("+", nil, false), ("010-1234-567a", nil, false), ("０1012345678", nil, false), ("10 1234 5678", nil, false),
            ("+1234567890123456", nil, false), ("++821012345678", nil, false), ("010\u{0}12345678", nil, false),
            ("01012345678\n", nil, false), ("0082 10 1234 5678", nil, false), ("0\u{301}1012345678", nil, false),
        ]
        for (text, e164, isUsable) in cases {
            let number = PhoneNumber(text)
            #expect(number?.e164 == e164, "\(text.debugDescription)")
            #expect((number?.isUsableForAlimtalk ?? false) == isUsable, "\(text.debugDescription)")
        }
    }

    @Test func `masks a phone number`() {
        for (text, masked) in [
            ("010-1234-5678", "+8210****5678"), ("011-123-4567", "+8211****567"), ("+12025550123", "+1202****123"),
        ] {
            #expect(PhoneNumber(text)?.masked == masked)
        }
        for count in 8...15 {
            let number = PhoneNumber("+" + String(repeating: "9", count: count))
            let shown = number?.masked.filter { $0 != "*" }.count ?? .max
            #expect(shown <= count + 1 - 4, "four digits at least stay hidden of \(count)")
        }
    }

    @Test func `decides whether a device may be connected`() {
        typealias Case = (recorded: StoredDevice, serial: String, mac: String, outcome: Result<Bool, LUXError>)
        func device(_ child: Int64?, _ serial: String?, _ mac: String?) -> StoredDevice {
            StoredDevice(id: 1, realUserID: child, serialCode: serial, macID: mac)
        }
        let cases: [Case] = [
            (device(nil, nil, nil), "S", "41AD", .success(true)),
            (device(nil, "S", "00:1B:44:11:41:AD"), "S", "41AD", .success(true)),
            (device(nil, "S", nil), "s", "41AD", .failure(.notFoundDevice)),
            (device(nil, "S", nil), "S ", "41AD", .failure(.notFoundDevice)),
            (device(nil, nil, "41AD"), "S", "41AE", .failure(.notFoundDevice)),
            (device(5, nil, nil), "S", "41AD", .success(false)), (device(5, "S", "41AD"), "S", "41ad", .success(false)),
            (device(6, "S", "41AD"), "S", "41AD", .failure(.alreadyConnectedDevice)),
            (device(6, "S", nil), "T", "41AD", .failure(.notFoundDevice)),
            (device(5, "S", nil), "T", "41AD", .failure(.notFoundDevice)),
        ]
        for (recorded, serial, mac, outcome) in cases {
            let result = Result { () throws(LUXError) in
                try recorded.canConnect(childID: 5, serialCode: serial, macID: mac)
            }
            #expect(result == outcome, "\(recorded) with \(serial), \(mac)")
        }
    }

    @Test func `spells its refusals as the API page does`() {
        let spellings: [LUXError: String] = [
            .notAuthorizedUser: "Not authorized user", .userIsNone: "User is None",
            .deviceNotFound: "Device not found", .notFoundDevice: "Not Found Device",
            .notFoundUser: "Not Found User", .alreadyConnectedDevice: "Already Connected Device",
            .notConnectedDevice: "Not Connected Device", .updateDeviceLogFailed: "Update Device Log Failed",
            .createDeviceLogFailed: "Create Device Log Failed", .phoneNumberNotFound: "Phone number is not found",
            .alimtalkSendFailed: "Alimtalk send failed",
        ]
        for error in LUXError.allCases { #expect(error.detail == spellings[error], "\(error)") }
    }
}
