import Foundation
import LUXStore
import LUXTestSupport
import Postgres
import Testing

/// On a distributed database (`docs/scale.md`) a statement goes to one node if it carries the distribution column of its tables: the
/// account for `users`, `real_users` and `alimtalks`, the device for `devices` and `device_logs`.
/// `alimtalk_polls` has a row for each provider and lies on one node.
@Suite struct DistributionTests {
    private enum Reach {
        /// What in the statement's text names the distribution column.
        case node(String)
        /// It would go to all nodes, and what has to change first.
        case everywhere(String)
    }

    private static let reaches: [String: Reach] = [
        "child_owner": .node("root_user_id = $2"),
        "lock_device_by_unique_id": .everywhere("codes need a table of their own, distributed by unique_id"),
        "connect_device": .node("where id = $1"),
        "disconnect_device": .node("where id = $1"),
        "lock_device_by_id": .node("d.id = $1"),
        "rename_device": .node("where id = $1"),
        "devlog_lock": .everywhere("children by id alone, and a device's account by its child"),
        "devlog_latest_starts": .node("device_id = k.id"),
        "devlog_devices": .node("where id = any($1)"),
        "devlog_lock_logs": .everywhere("logs by id alone: their devices are known and have to be passed"),
        "devlog_lock_children": .everywhere("children by id alone"),
        "devlog_temporary_logs": .node("device_id = any($1)"),
        "devlog_temporary_logs_and_completions": .node("device_id = k.device_id"),
        "devlog_complete_logs": .node("device_id = k.device_id"),
        "update_device_logs": .everywhere("logs by id alone: their devices are known and have to be passed"),
        "insert_device_logs": .node("insert into device_logs (device_id,"),
        "update_log_counters": .node("d.id = any($1)"),
        "child_device": .everywhere("devices by child"),
        "child_device_many": .everywhere("devices by child"),
        "all_devices": .everywhere("devices by child"),
        "all_devices_many": .everywhere("devices by child"),
        "check_device": .everywhere("devices by code"),
        "check_device_many": .everywhere("devices by code"),
        "usage_logs_of_child": .everywhere("logs by child: the devices that a child had are not recorded"),
        "usage_logs_of_child_and_device": .node("device_id = $8"),
        "message_recipient": .everywhere("devices by child"),
        "settle_alimtalk": .everywhere("messages by id alone: the account is known and has to be passed"),
        "message_status": .everywhere("messages by id alone: the account is known and has to be passed"),
        "lock_user_for_message": .node("where id = $1"),
        "message_of_key": .node("user_id = $1"),
        "recent_message": .node("user_id = $1"),
        "full_hour_of_messages": .node("user_id = $1"),
        "full_day_of_messages": .everywhere("the messages of all accounts are counted"),
        "claim_delivery_poll": .everywhere("the messages of a provider"),
        "open_messages": .everywhere("the messages of a provider"),
        "store_deliveries": .everywhere("messages by the provider's id"),
        "release_delivery_poll": .node("where provider = $1"),
        "lock_messages_of_server": .node("pg_advisory"),
        "insert_message": .node("insert into alimtalks (user_id,"),
    ]

    /// The names of the statements that the source declares.
    private static func declaredNames() throws -> Set<String> {
        let folder = Locations.package + "/Sources/LUXStore"
        let name = /(?:PostgresStatement\(|GroupableRead\(|= page\()\s*"([a-z_]+)"/
        var found: Set<String> = []
        for file in try #require(FileManager.default.subpaths(atPath: folder)) where file.hasSuffix(".swift") {
            let text = try String(contentsOfFile: folder + "/" + file, encoding: .utf8)
            for match in text.matches(of: name) { found.insert(String(match.1)) }
        }
        return found
    }

    @Test func `each statement of the store carries the distribution column, or is known to go to all nodes`() throws {
        let statements = DeviceStore.statements
        #expect(Set(statements.map(\.name)) == Set(Self.reaches.keys))
        // schema_migrations is a reference table.
        let others = [SchemaState.statement.name]
        #expect(try Self.declaredNames().subtracting(Self.reaches.keys) == Set(others))
        for statement in statements {
            switch Self.reaches[statement.name] {
            case .node(let key): #expect(statement.sql.contains(key), "\(statement.name): \(statement.sql)")
            case .everywhere: break
            case nil: Issue.record("\(statement.name) is not in the table")
            }
        }
    }

    @Test func `docs/scale.md names each statement that goes to all nodes`() throws {
        let page = try String(contentsOfFile: Locations.package + "/docs/scale.md", encoding: .utf8)
        for (name, reach) in Self.reaches {
            guard case .everywhere = reach else { continue }
            #expect(page.contains("`\(name)`"), "\(name)")
        }
    }
}
