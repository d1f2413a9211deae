import LUXAPI

extension Dev {
    /// What is printed when the server is ready: a curl line for each endpoint. In this order, and in any number of rounds,
    /// each of them succeeds.
    static func banner(port: Int, token: String, database: String) -> String {
        let lines = Endpoint.allCases.map { endpoint in
            let (query, body) = example(of: endpoint)
            let method = endpoint.method == "GET" ? "" : "-X \(endpoint.method) "
            let content = body.map { " -d '\($0)'" } ?? ""
            return
                "curl \(method)-H 'Authorization: Bearer \(token)' 'http://127.0.0.1:\(port)\(endpoint.path)\(query)'\(content)"
        }
        return """

            LUX is ready. Database: psql "\(database)"
            Access token of user 1, for 24 hours: \(token)

            \(lines.joined(separator: "\n"))

            Ctrl-C stops the server and its database; the data stays in .lux/
            """
    }

    /// A request that succeeds with the demo data.
    private static func example(of endpoint: Endpoint) -> (query: String, body: String?) {
        switch endpoint {
        case .childDevice: ("?real_user_id=1", nil)
        case .getAllDevice, .alimtalk: ("", nil)
        case .setMyDevice: ("?serial_code=SN-0003&mac_id=41AF&unique_id=lux-demo-3&real_user_id=2", nil)
        case .unConnect: ("?unique_id=lux-demo-3&real_user_id=2", nil)
        case .checkDevice: ("?unique_id=lux-demo-1", nil)
        case .updateAlias: ("", #"{"device_id":1,"real_user_id":1,"device_alias":"Bedroom"}"#)
        case .devlog:
            (
                "",
                """
                {"log_arrays":[{"real_user_id":1,"device_id":1,"unique_id":"lux-demo-1","detail_data":{"treatment_date":\
                "2025-02-21T15:48:49","finish_flag":null,"last_intensity":2,"treatment_time":30}}]}
                """
            )
        case .usageLogs: ("?real_user_id=1&limit=10", nil)
        }
    }
}
