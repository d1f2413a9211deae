import Postgres

extension DeviceStore {
    /// Every statement that the store executes through a pool, for its statistics.
    package static let statements =
        logStatements + connectionStatements + readStatements + usageLogStatements + deliveryStatements
        + recipientStatements + messageStartStatements + messageStatements
}
