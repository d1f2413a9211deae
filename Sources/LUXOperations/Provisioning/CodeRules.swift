/// What the codes of a device may look like in a provisioning file: an app has to be able to send the same ones.
enum CodeRules {
    private static let spreadsheetErrors: Set = [
        "#N/A", "#REF!", "#NAME?", "#VALUE!", "#DIV/0!", "#NUM!", "#NULL!", "#SPILL!", "#CALC!", "#FIELD!", "#BLOCKED!",
        "#UNKNOWN!", "#CONNECT!", "#GETTING_DATA", "#ERROR!",
    ]

    private static let separators: Set<Unicode.Scalar> = [":", "-", ".", " "]

    /// Why a code of the column cannot be loaded; `nil` when it can.
    ///
    /// Without regular expressions: a file has a million codes and more, and each match costs 20 µs and more.
    static func error(in code: String, of column: String) -> String? {
        if isScientific(code.utf8) {
            return "is a number in scientific notation: format the column as text in the spreadsheet"
        }
        if code.utf8.count >= 4, code.utf8.allSatisfy(isAlphanumeric) { return nil }
        return unusualError(in: code, of: column)
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    /// `12E+5`, `1.20E+04`: digits, a fraction or none, and an exponent with a sign.
    private static func isScientific(_ text: String.UTF8View) -> Bool {
        guard let exponent = text.firstIndex(where: { $0 | 0x20 == UInt8(ascii: "e") }) else { return false }
        let mantissa = text[..<exponent].split(omittingEmptySubsequences: false) {
            $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: ",")
        }
        let power = text[text.index(after: exponent)...]
        guard let sign = power.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") else { return false }
        return mantissa.count <= 2
            && (mantissa + [power.dropFirst()]).allSatisfy { !$0.isEmpty && $0.allSatisfy(isDigit) }
    }

    /// The errors of codes that are not letters and digits alone.
    private static func unusualError(in code: String, of column: String) -> String? {
        if spreadsheetErrors.contains(code.uppercased()) || !code.isEmpty && code.allSatisfy({ $0 == "#" }) {
            return "is an error value of a spreadsheet"
        }
        let scalars = code.unicodeScalars
        if scalars.first?.properties.isWhitespace == true || scalars.last?.properties.isWhitespace == true {
            return "must not begin or end with white space"
        }
        for scalar in scalars {
            let isSeparator = column == "mac_id" && scalar == " "
            if scalar.properties.isWhitespace, !isSeparator {
                return "must not contain white space (\(name(scalar)))"
            }
            switch scalar.properties.generalCategory {
            case .control, .format, .surrogate, .lineSeparator, .paragraphSeparator:
                return "must not contain a control or invisible character (\(name(scalar)))"
            default: break
            }
            if scalar.properties.isDefaultIgnorableCodePoint {
                return "must not contain an invisible character (\(name(scalar)))"
            }
        }
        if column == "mac_id", scalars.count(where: { !separators.contains($0) }) < 4 {
            return "must have at least four characters, not counting : - . and spaces;"
                + " spreadsheets drop leading zeros: format the column as text"
        }
        return nil
    }

    /// What is likely to be a mistake, although it can be loaded.
    static func warning(in value: String, of column: String) -> String? {
        switch column {
        case "mac_id":
            let isHexadecimal = value.utf8.allSatisfy { byte in
                isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20)
                    || separators.contains(Unicode.Scalar(byte))
            }
            return isHexadecimal ? nil : "is not hexadecimal"
        case "birthdate":
            return isDate(value.utf8) ? nil : "is not a date such as 19970101"
        case "gender": return ["M", "F", "N", "P"].contains(value) ? nil : "is not M, F, N or P"
        default: return nil
        }
    }

    /// `yyyyMMdd` of the 20th or 21st century.
    private static func isDate(_ text: String.UTF8View) -> Bool {
        guard text.count == 8, text.allSatisfy(isDigit), let number = Int(String(text)) else { return false }
        return (1900...2099).contains(number / 10_000) && (1...12).contains(number / 100 % 100)
            && (1...31).contains(number % 100)
    }

    private static func name(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        return "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
