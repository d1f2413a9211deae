/// How lines look.
package enum LogStyle: Sendable {
    /// One JSON object a line (RFC 8259), for machines.
    case json
    /// Columns for people: time, level, message, then `name=value`.
    case text(colored: Bool)
}
