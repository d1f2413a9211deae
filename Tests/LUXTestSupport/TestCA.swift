import Foundation

/// A certificate authority of the tests' own, in a temporary folder.
package struct TestCA: Sendable {
    /// A certificate that it issued, with its key.
    package struct Leaf: Sendable {
        package let certificate: String
        package let key: String
    }

    private let folder: String

    package var certificate: String { folder + "/ca.pem" }

    package init() throws {
        folder = try makeTemporaryFolder()
        try Self.shell(
            """
            openssl req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -days 30 -subj '/CN=LUX test CA' \
            -keyout ca.key -out ca.pem
            """, in: folder)
    }

    /// Issues a certificate; with negative days one that is expired.
    package func issue(_ name: String, for subject: String = "IP:127.0.0.1", days: Int = 30) throws -> Leaf {
        try Self.shell(
            """
            openssl req -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -subj '/CN=\(name)' \
            -addext 'subjectAltName=\(subject)' -keyout \(name).key -out \(name).csr && \
            openssl x509 -req -in \(name).csr -CA ca.pem -CAkey ca.key -CAcreateserial -days \(days) \
            -copy_extensions copy -out \(name).pem
            """, in: folder)
        return Leaf(certificate: "\(folder)/\(name).pem", key: "\(folder)/\(name).key")
    }

    private static func shell(_ script: String, in folder: String) throws {
        let command = try ChildProcess(
            "/bin/sh", ["-c", script], environment: ["PATH": "/usr/bin:/bin"], folder: folder)
        guard command.wait(seconds: 60) == .exit(0) else {
            throw TestServer.StartFailure(description: command.errors)
        }
    }

    /// The variables by which this CA is a root of a program that honours OpenSSL's own, by its file or by a folder of hashed names.
    package func asRoot(inFolder: Bool = false) throws -> [String: String] {
        guard inFolder else { return ["SSL_CERT_FILE": certificate] }
        try Self.shell(
            "mkdir -p roots && cp ca.pem roots/$(openssl x509 -noout -subject_hash -in ca.pem).0", in: folder)
        return ["SSL_CERT_DIR": folder + "/roots"]
    }
}
