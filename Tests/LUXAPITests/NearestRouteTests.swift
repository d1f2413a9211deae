import HTTP
import Testing

@testable import LUXAPI

/// The hint in the log that follows a request with an unknown path.
@Suite struct NearestRouteTests {
    private static let api = "/api/v1/lux/device/"
    private static let routes = NearestRoute(Routes.table)

    @Test(
        arguments: [
            ("\(api)child-device/", "GET \(api)child-device"), ("\(api)Child-Device", "GET \(api)child-device"),
            ("\(api)child_device", "GET \(api)child-device"), ("/child-device", "GET \(api)child-device"),
            ("/v1/lux/device/child-device", "GET \(api)child-device"), ("/device/devlog/", "POST \(api)devlog"),
            ("//api/v1//lux/device/devlog", "POST \(api)devlog"), ("\(api)devlogs", "POST \(api)devlog"),
            ("\(api)devlog/1", "POST \(api)devlog"), ("/lux-backend\(api)devlog", "POST \(api)devlog"),
            ("\(api)disconnect", "PATCH \(api)un-connect"), ("\(api)unconnect", "PATCH \(api)un-connect"),
            ("\(api)update-aliass", "PATCH \(api)update-alias"), ("/api/v2/lux/device/alimtalk", "POST \(api)alimtalk"),
            ("/health", "GET /healthz"), ("/Readyz", "GET /readyz"), ("/metric", "GET /metrics"), ("/doc", "GET /docs"),
            ("/openapi.yaml", nil), ("/openapi.jso", "GET /openapi.json"), ("/docs/", "GET /docs"),
            ("/", nil), ("", nil), ("//", nil), ("/api", nil), ("/x", nil), ("/favicon.ico", nil),
            ("/wp-login.php", nil),
            ("\(api)" + String(repeating: "child-device", count: 20), nil), ("\(api)홍길동", nil),
        ] as [(String, String?)]) func `is named for a path that is nearly one`(_ path: String, _ route: String?)
    {
        let cause = Self.routes.cause(for: path)
        #expect(cause == route.map { "no such path; nearest is \($0)" } ?? "no such path")
    }

    @Test func `names a route for its own path with one character changed, added or removed`() {
        for route in Routes.table where route.path.utf8.count > 5 {
            let middle = route.path.index(route.path.startIndex, offsetBy: route.path.count / 2)
            var (changed, longer, shorter) = (route.path, route.path, route.path)
            changed.replaceSubrange(middle...middle, with: "~")
            longer.insert("~", at: middle)
            shorter.remove(at: middle)
            for path in [changed, longer, shorter] {
                let cause = Self.routes.cause(for: path)
                #expect(cause == "no such path; nearest is \(route.method.rawValue) \(route.path)", "\(path)")
            }
        }
    }

    @Test(
        arguments: [
            ("", "", 0), ("", "ab", 2), ("abc", "abc", 0), ("abc", "abd", 1), ("abc", "ab", 1), ("abc", "bc", 1),
            ("abc", "axxc", 2), ("aab", "ab", 1), ("abab", "ab", 2), ("abcd", "bcda", 4),
        ] as [(String, String, Int)])
    func `measures the piece in which two paths differ`(_ one: String, _ other: String, _ difference: Int) {
        #expect(NearestRoute.difference(between: Array(one.utf8), and: Array(other.utf8)) == difference)
        #expect(NearestRoute.difference(between: Array(other.utf8), and: Array(one.utf8)) == difference)
    }
}
