import Bytes

/// A phone number in the international form of E.164, such as `+821012345678`.
package struct PhoneNumber: Hashable, Sendable {
    /// A plus sign and 8 to 15 digits.
    package let e164: String

    private static let separators: Set<Unicode.Scalar> = [" ", "-", ".", "(", ")"]

    /// Reads a number as it is stored: international, or domestic Korean with or without separators.
    package init?(_ text: String) {
        let characters = text.unicodeScalars.filter { !Self.separators.contains($0) }
        let international = characters.first == "+"
        let digits = String(String.UnicodeScalarView(international ? characters.dropFirst() : characters[...]))
        guard digits.utf8.allSatisfy(\.isDigit) else { return nil }
        if international {
            guard digits.first != "0", (8...15).contains(digits.utf8.count) else { return nil }
            // People write the domestic zero after the country code, where it does not belong.
            e164 = digits.hasPrefix("820") ? "+82" + digits.dropFirst(3) : "+" + digits
        } else {
            guard digits.hasPrefix("0"), (9...11).contains(digits.utf8.count) else { return nil }
            e164 = "+82" + digits.dropFirst()
        }
    }

    /// Whether Alimtalk reaches it: a Korean mobile number (010, 011, 016 to 019).
    package var isUsableForAlimtalk: Bool {
        guard e164.hasPrefix("+82") else { return false }
        let national = e164.dropFirst(3)
        let count = national.utf8.count
        switch national.prefix(2) {
        case "10": return count == 10
        case "11", "16", "17", "18", "19": return count == 9 || count == 10
        default: return false
        }
    }

    /// A Korean number as it is dialled in Korea, such as `01012345678`; any other one in its international form.
    package var domestic: String {
        e164.hasPrefix("+82") ? "0" + e164.dropFirst(3) : e164
    }

    /// The number masked for logs, such as `+8210****5678`, for logs and rows.
    package var masked: String {
        String(e164.prefix(5)) + "****" + e164.suffix(max(0, min(4, e164.utf8.count - 9)))
    }
}
