import Testing

@testable import Postgres

@Suite struct SQLScriptTests {
    @Test(arguments: [
        ("select 1; select 2", ["select 1", "select 2"]), (" ; ;", []), ("-- a;b\nselect 1", ["select 1"]),
        ("/* a; /* b; */ c; */ select 1", ["select 1"]), ("select ';', E'\\';', \";\"", ["select ';', E'\\';', \";\""]),
        ("do $$ begin; $$; select $1", ["do $$ begin; $$", "select $1"]),
        ("do $a$ $$;$$ $a$;", ["do $a$ $$;$$ $a$"]), ("select 'a'';b'", ["select 'a'';b'"]),
        ("select 'a", ["select 'a"]),
    ]) func `finds the ends of statements`(_ sql: String, _ statements: [String]) {
        #expect(SQLScript(sql).statements == statements)
    }
}
