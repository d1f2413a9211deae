import Foundation
import JWT
import LUXTestSupport
import Testing

@testable import LUXSimulation

/// A short evening on a real server and a real database.
@Suite struct SimulationTests {
    @Test(.timeLimit(.minutes(3)))
    func `an evening ends with every acknowledged log in one row, and a deleted row is found`() async throws {
        try await onThread {
            let database = try TestDatabase.make()
            let server = try TestServer(database)
            var options = SimulationOptions()
            options.devices = 150
            options.minutes = 10
            options.speed = 300
            let rows = try SimulationDatabase(database.connectionString)
            try rows.provision(devices: options.devices)
            let address = try #require(ServerAddress("127.0.0.1:\(server.port)"))
            let simulation = try Simulation(
                options, servers: [address], signer: try JWTSigner(hs256Secret: Array(Token.secret.utf8)),
                epoch: Int64(Date().timeIntervalSince1970))
            simulation.run()
            #expect(simulation.figures.unexpected == [] && simulation.figures.begun == 150)
            #expect(simulation.figures.ended == 150)
            let acknowledged = simulation.acknowledged
            let logs = acknowledged.reduce(0) { $0 + Int64($1.count) }
            let sql = try database.session()
            #expect(try sql.integer("select count(*) from device_logs where finish_flag is not null") == logs)
            #expect(logs > 100 && acknowledged.allSatisfy { !$0.isUnsettled })
            #expect(try rows.differences(acknowledged).isEmpty)
            try sql.script(
                "delete from device_logs where id = (select min(id) from device_logs where finish_flag is not null)")
            #expect(try rows.differences(acknowledged).map(\.key) == [.lost])
            server.stop()
        }
    }
}
