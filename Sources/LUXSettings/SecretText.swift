/// Mistakes in the text of a secret: it is wrong, or well known. Pure.
enum SecretText {
    /// - Returns: why the text is not accepted as a secret for tokens; `nil` when it is.
    static func error(in secret: [UInt8]) -> String? {
        if let reason = editorError(in: secret) ?? keyError(in: secret) { return reason }
        guard isPlaceholder(secret) else { return nil }
        return "is a placeholder that everybody knows; create a secret, for example with openssl rand -hex 32"
    }

    /// - Returns: why a file with one secret per line is not accepted, whatever its lines are.
    static func error(inFile file: [UInt8]) -> String? {
        byteOrderMarkError(in: file) ?? keyError(in: file)
    }

    /// What editors add and nobody sees.
    static func editorError(in secret: [UInt8]) -> String? {
        if let reason = byteOrderMarkError(in: secret) { return reason }
        guard let last = secret.last, [0x20, 0x09, 0x0A, 0x0D].contains(last) else { return nil }
        return "ends in white space, which would become part of the secret; remove it"
    }

    static func byteOrderMarkError(in text: [UInt8]) -> String? {
        guard [[0xEF, 0xBB, 0xBF], [0xFF, 0xFE], [0xFE, 0xFF]].contains(where: { text.starts(with: $0) }) else {
            return nil
        }
        return "begins with a byte order mark, which would become part of the secret; save it as UTF-8 without one"
    }

    private static func keyError(in text: [UInt8]) -> String? {
        guard text.starts(with: "-----BEGIN ".utf8) else { return nil }
        return "is a PEM key, not a shared secret; the file of a public key belongs in LUX_JWT_PUBLIC_KEY"
    }

    /// Beginnings of the secrets in examples, in small letters and digits alone.
    private static let placeholders = [
        "changeme", "changethis", "changeit", "replaceme", "replacethis", "placeholder", "yoursecret",
        "yourjwtsecret", "yoursupersecret", "yourownsecret", "your256bitsecret", "your384bitsecret", "your512bitsecret",
        "astringsecretatleast256bitslong", "mysecretkey", "mysupersecret", "insertyour", "insertsecret", "enteryour",
        "putyour", "examplesecret", "dummysecret",
    ]

    private static func isPlaceholder(_ secret: [UInt8]) -> Bool {
        let text = String(decoding: secret, as: UTF8.self).lowercased().filter {
            $0.isASCII && ($0.isLetter || $0.isNumber)
        }
        return placeholders.contains { text.hasPrefix($0) }
    }
}
