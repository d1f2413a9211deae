/// What the codes of a device may look like in a provisioning file: an app has to be able to send the same ones.
enum CodeRules {
    private static let spreadsheetErrors: Set = [
        "#N/A", "#REF!", "#NAME?", "#VALUE!", "#DIV/0!", "#NUM!", "#NULL!", "#SPILL!", "#CALC!", "#FIELD!", "#BLOCKED!",
        "#UNKNOWN!", "#CONNECT!", "#GETTING_DATA", "#ERROR!",
    ]

    private static let separators: Set<Unicode.Scalar> = [":", "-", ".", " "]

    /// Why a code of the column cannot be loaded; `nil` when it can.
    static func error(in code: String, of column: String) -> String? {
        if spreadsheetErrors.contains(code.uppercased()) || !code.isEmpty && code.allSatisfy({ $0 == "#" }) {
            return "is an error value of a spreadsheet"
        }
        if code.wholeMatch(of: /[0-9]+([.,][0-9]+)?[Ee][+\-][0-9]+/) != nil {
            return "is a number in scientific notation: format the column as text in the spreadsheet"
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
            let digits = value.unicodeScalars.filter { !separators.contains($0) }
            return digits.allSatisfy { $0.isASCII && $0.properties.isASCIIHexDigit } ? nil : "is not hexadecimal"
        case "birthdate":
            let isDate = value.wholeMatch(of: /(19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])/) != nil
            return isDate ? nil : "is not a date such as 19970101"
        case "gender": return ["M", "F", "N", "P"].contains(value) ? nil : "is not M, F, N or P"
        default: return nil
        }
    }

    private static func name(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        return "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
