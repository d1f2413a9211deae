import LUXTestSupport
import Testing

@testable import LUXOperations

@Suite struct ReportTests {
    private static let report: Report = {
        var report = Report()
        report.add("id", 5)
        report.add("device_alias", .text("living \"room\""))
        report.add("mac_id", .text(nil))
        report.add("real_user_id", .number(nil))
        report.add("holes", .list((1...12).map { "\($0)" }))
        report.add("restarts", .list([]))
        report.add(
            "actions",
            .rows([(text: "Kim show", json: #"{"id":1}"#), (text: "Lee show", json: #"{"id":2}"#)]))
        return report
    }()

    @Test func `a table has the values below each other, and a long list is cut`() {
        #expect(
            Self.report.table == """
                id            5
                device_alias  living "room"
                mac_id        none
                real_user_id  none
                holes         1, 2, 3, 4, 5, 6, 7, 8, 9, 10, and 2 more
                restarts      none
                actions       Kim show
                actions       Lee show
                """)
    }

    @Test func `an object has every value with its type`() throws {
        let object = try #require(JSONValue(Self.report.json), "\(Self.report.json)")
        #expect(object["id"]?.integer == 5 && object["device_alias"]?.string == "living \"room\"")
        #expect(Self.report.json.contains(#""mac_id":null,"real_user_id":null"#))
        #expect(object["holes"]?.items?.count == 12 && object["restarts"]?.items?.isEmpty == true)
        #expect(object["actions"]?.items?.compactMap { $0["id"]?.integer } == [1, 2])
    }
}
