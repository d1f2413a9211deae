import HTTP
import Testing

@testable import LUXAPI

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

    @Test func `has every route as the nearest to itself with one character changed, added or removed`() {
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

    /// The definition, without any bound.
    private func distance(_ one: ArraySlice<UInt8>, _ other: ArraySlice<UInt8>) -> Int {
        guard let last = one.last, let otherLast = other.last else { return max(one.count, other.count) }
        if last == otherLast { return distance(one.dropLast(), other.dropLast()) }
        return 1
            + min(
                distance(one.dropLast(), other), distance(one, other.dropLast()),
                distance(one.dropLast(), other.dropLast()))
    }

    @Test func `counts edits as Levenshtein does, up to its bound`() {
        let words = ["", "a", "ab", "ba", "abc", "acb", "abcd", "bcda", "aabb", "bbaa", "abcab"].map { Array($0.utf8) }
        for one in words {
            for other in words {
                let edits = distance(one[...], other[...])
                for limit in 0...5 {
                    let found = NearestRoute.edits(from: one, to: other, atMost: limit)
                    #expect(found == (edits <= limit ? edits : nil), "\(one) \(other) \(limit)")
                }
            }
        }
    }
}
