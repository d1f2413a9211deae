import Testing

@testable import Postgres

/// Values reach PostgreSQL and come back as they are.
@Suite struct ParameterTests {
    static let fixture: PoolFixture = {
        do { return try PoolFixture(connections: 2) } catch { preconditionFailure("\(error)") }
    }()

    private func text(_ query: PostgresQuery) async throws -> String? {
        try await Self.fixture.run { try await $0.read(query, deadline: .within(.seconds(10))).first?.textOrNull(0) }
    }

    @Test(arguments: [nil, "", "a", "'; drop table users; --", "$1", "\\", "한글 \u{1F600}", "a\nb\tc", "\u{1}"])
    func `text, and the empty one is not NULL`(_ value: String?) async throws {
        #expect(try await text(PostgresStatement("text", "select $1")(.text(value))) == value)
    }

    @Test(arguments: [nil, 0, 1, -1, Int64.max, Int64.min] as [Int64?])
    func `bigint`(_ value: Int64?) async throws {
        let row = try await Self.fixture.run { pool in
            let result = try await pool.read(
                PostgresStatement("int8", "select $1, ($1)::text")(.int8(value)), deadline: .within(.seconds(10)))
            return (try result.first?.int8OrNull(0), try result.first?.textOrNull(1))
        }
        #expect(row.0 == value)
        #expect(row.1 == value.map { "\($0)" })
    }

    @Test(
        arguments: [
            (0, "1970-01-01 00:00:00+00"), (1, "1970-01-01 00:00:00.000001+00"), (-1, "1969-12-31 23:59:59.999999+00"),
            (1_739_548_129_500_000, "2025-02-14 15:48:49.5+00"), (-62_135_596_800_000_000, "0001-01-01 00:00:00+00"),
            (253_402_300_799_999_999, "9999-12-31 23:59:59.999999+00"),
        ] as [(Int64, String)]) func `timestamptz, in microseconds since 1970`(_ value: Int64, _ text: String)
        async throws
    {
        let row = try await Self.fixture.run { pool in
            let result = try await pool.read(
                PostgresStatement("timestamptz", "select $1, ($1 at time zone 'UTC')::text || '+00'")(
                    .timestamptz(value)), deadline: .within(.seconds(10)))
            return (try result.first?.timestamptz(0), try result.first?.text(1))
        }
        #expect(row.0 == value)
        #expect(row.1 == text)
    }

    @Test func `arrays, with NULL and without elements`() async throws {
        let cases: [(PostgresQuery, String)] = [
            (
                PostgresStatement("a8", "select ($1)::text")(.int8Array([1, nil, .min])),
                "{1,NULL,-9223372036854775808}"
            ),
            (
                PostgresStatement("att", "select ($1)::text")(.textArray(["a", nil, "", "\u{e9}\""])),
                "{a,NULL,\"\",\"\u{e9}\\\"\"}"
            ),
            (PostgresStatement("a8e", "select ($1)::text")(.int8Array([])), "{}"),
            (PostgresStatement("a4", "select ($1)::text")(.int4Array([1, nil, .max])), "{1,NULL,2147483647}"),
            (PostgresStatement("a2", "select ($1)::text")(.int2Array([6, nil, -1])), "{6,NULL,-1}"),
            (
                PostgresStatement("at", "select (($1)[1] at time zone 'UTC')::text || coalesce(($1)[2]::text, '-')")(
                    .timestamptzArray([0, nil])), "1970-01-01 00:00:00-"
            ),
            (
                PostgresStatement("aj", "select ($1)[1]::text || ($1)[2]::text")(
                    .jsonbArray([Array(#"{"b":1,"a":"é"}"#.utf8), Array("[1.50]".utf8)])), #"{"a": "é", "b": 1}[1.50]"#
            ),
        ]
        for (query, expected) in cases { #expect(try await text(query) == expected) }
    }

    @Test func `a value of megabytes is sent and received`() async throws {
        let value = String(repeating: "0123456789abcdef", count: 200_000)
        #expect(try await text(PostgresStatement("big", "select $1")(.text(value))) == value)
    }

    @Test func `NULL where none may be, a missing column and another width are errors`() async throws {
        let kinds = try await Self.fixture.run { pool in
            let result = try await pool.read(
                PostgresStatement("odd", "select null::bigint, 1::float4, 'infinity'::timestamptz")(),
                deadline: .within(.seconds(10)))
            let row = try #require(result.first)
            #expect(try row.int8OrNull(0) == nil)
            #expect(try row.timestamptz(2) == .max)
            var kinds: [PostgresError.Kind] = []
            for read in [
                { _ = try row.int8(0) }, { _ = try row.int8(1) }, { _ = try row.text(3) }, { _ = try row.text(-1) },
            ]
                as [() throws -> Void]
            {
                do { try read() } catch let error as PostgresError { kinds.append(error.kind) }
            }
            return kinds
        }
        #expect(kinds == Array(repeating: .protocolViolation, count: 4))
    }
}
