import Foundation
import Glibc

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

    /// A command before the server's own that makes this CA the system's only root, in a mount namespace of its own: the product
    /// has no switch that would change what it trusts.
    package var asSystemRoot: [String] { Self.wrapper + [Self.script(certificate)] }

    private static let wrapper = ["/usr/bin/unshare", getuid() == 0 ? "-m" : "-rm", "/bin/sh", "-c"]

    private static func script(_ certificate: String) -> String {
        #"mount --bind \#(certificate) /etc/ssl/certs/ca-certificates.crt && exec "$0" "$@""#
    }

    /// Whether this machine allows that.
    package static let canReplaceSystemRoots: Bool = {
        let arguments = Array(wrapper.dropFirst()) + [script("/etc/ssl/certs/ca-certificates.crt"), "/bin/true"]
        let process = try? ChildProcess(wrapper[0], arguments, environment: ["PATH": "/usr/bin:/bin"])
        return process?.wait(seconds: 10) == .exit(0)
    }()
}
