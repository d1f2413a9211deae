/// For how many days data are kept; `nil` forever.
package struct RetentionDays: Sendable {
    package var logs: Int?
    package var messages: Int?
    package var audit: Int?
    package var keys: Int?
}

extension EnvironmentReader {
    /// What `retention run` deletes. `serve` reads it too, so that a mistake is found before the timer runs.
    package mutating func retention() -> RetentionDays {
        RetentionDays(
            logs: read(\.retention.logs), messages: read(\.retention.messages), audit: read(\.retention.audit),
            keys: read(\.retention.keys))
    }
}
