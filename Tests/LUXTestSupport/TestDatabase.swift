import Foundation
import Testing

/// A database of its own, migrated by the product's `lux-server migrate`.
package struct TestDatabase: Sendable {
    package let cluster: TestCluster
    package let name: String

    /// One that is there already.
    package init(cluster: TestCluster, name: String) {
        self.cluster = cluster
        self.name = name
    }

    package var connectionString: String { cluster.connectionString(name) }

    package func session() throws -> SQLSession { try cluster.session(name) }

    /// A fresh migrated database in the shared cluster: a copy of one that was migrated once.
    package static func make() throws -> TestDatabase {
        try create(template: template.name)
    }

    /// A database without a table.
    package static func makeEmpty(in cluster: TestCluster = .shared) throws -> TestDatabase {
        try create(template: "template1", in: cluster)
    }

    private static func create(template: String, in cluster: TestCluster = .shared) throws -> TestDatabase {
        let name = "lux_\(Unique.number())"
        // PostgreSQL sometimes rejects two copies of one template at the same time, as "being accessed".
        try lock.withLock {
            _ = try cluster.session().script("create database \(name) template \(template)")
        }
        return TestDatabase(cluster: cluster, name: name)
    }

    private static let lock = NSLock()

    private static let template: TestDatabase = {
        do {
            let database = try makeEmpty()
            let migrate = try LUXCommand.run(["migrate"], environment: ["DATABASE_URL": database.connectionString])
            precondition(migrate.ending == .exit(0), "migrate: \(migrate.errors)\n\(migrate.output)")
            return database
        } catch {
            preconditionFailure("no migrated database for the tests: \(error)")
        }
    }()
}
