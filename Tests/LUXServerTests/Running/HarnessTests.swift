import LUXTestSupport
import Testing

@Suite struct HarnessTests {
    @Test func `computes HMAC-SHA-256 as RFC 4231 does`() {
        // RFC 4231, 4.3.
        let signature = Token.signature("what do ya want for nothing?", secret: "Jefe")
        #expect(signature == "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM")
    }

    @Test func `starts a private PostgreSQL that responds`() throws {
        #expect(try TestCluster.shared.session().value("select 6 * $1::int", ["7"]) == "42")
    }

    @Test func `reads JSON with the order of keys and the spelling of numbers`() {
        #expect(
            JSONValue(#"{"b":1,"a":[null,"é\n😀"]}"#)
                == JSONValue(#"{ "b" : 1 , "a" : [ null , "\u00e9\n\ud83d\ude00" ] }"#))
        #expect(JSONValue(#"{"a":1,"b":2}"#) != JSONValue(#"{"b":2,"a":1}"#))
        #expect(JSONValue("1.0") != JSONValue("1"))
        #expect(JSONValue("[1,]") == nil)
    }
}
