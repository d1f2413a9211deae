import Foundation
import Glibc

/// A headless Chromium with one page, driven over its debugging pipe (`--remote-debugging-pipe`): messages of the Chrome
/// DevTools Protocol with a NUL behind each.
package final class Browser {
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// What the page complained of: uncaught exceptions, and errors in its log, rejections of its security policy among them.
    package private(set) var complaints: [String] = []

    private let process: ChildProcess
    private let folder: URL
    private let commands: Int32
    private let messages: Int32
    private var unread: [UInt8] = []
    private var lastID = 0
    private var session = ""

    /// Starts the browser with an empty page.
    package init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("lux-browser-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let names = (commands: folder.path + "/commands", messages: folder.path + "/messages")
        guard mkfifo(names.commands, 0o600) == 0, mkfifo(names.messages, 0o600) == 0 else {
            throw Failure(description: "mkfifo: errno \(errno)")
        }
        // Open for both directions, so that neither side waits for the other's open(2).
        commands = Glibc.open(names.commands, O_RDWR | O_CLOEXEC)
        messages = Glibc.open(names.messages, O_RDWR | O_CLOEXEC)
        let redirected = #"commands=$1 messages=$2; shift 2; exec "$@" 3<"$commands" 4>"$messages""#
        process = try ChildProcess(
            "/bin/sh",
            [
                "-c", redirected, "sh", names.commands, names.messages, "chromium-headless-shell", "--no-sandbox",
                "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe", "--window-size=1280,1600",
                "--user-data-dir=\(folder.path)/profile", "about:blank",
            ], environment: ["PATH": Locations.path, "HOME": folder.path])
        let target = try call("Target.createTarget", #"{"url":"about:blank"}"#)["targetId"]?.string ?? ""
        let attached = try call("Target.attachToTarget", #"{"targetId":"\#(target)","flatten":true}"#)
        session = attached["sessionId"]?.string ?? ""
        for domain in ["Page", "Runtime", "Log"] { try call("\(domain).enable") }
    }

    deinit {
        close(commands)
        close(messages)
        process.signal(SIGTERM)
        if process.wait(seconds: 10) == nil { process.signal(SIGKILL) }
        try? FileManager.default.removeItem(at: folder)
    }

    /// Loads a page; returns the error of the navigation, if any.
    package func open(_ url: String) throws {
        let reply = try call("Page.navigate", #"{"url":\#(Self.quoted(url))}"#)
        if let error = reply["errorText"]?.string { throw Failure(description: "\(url): \(error)") }
    }

    /// The value of an expression in the page.
    @discardableResult
    package func evaluate(_ expression: String) throws -> JSONValue {
        let reply = try call(
            "Runtime.evaluate", #"{"expression":\#(Self.quoted(expression)),"returnByValue":true}"#)
        if let thrown = reply["exceptionDetails"] { throw Failure(description: "\(expression): \(thrown.leaves)") }
        return reply["result"]?["value"] ?? .null
    }

    /// Waits until an expression is true.
    package func wait(for expression: String, seconds: Double = 60) throws {
        let deadline = Date(timeIntervalSinceNow: seconds)
        while try evaluate(expression) != .bool(true) {
            guard Date() < deadline else { throw Failure(description: "never came: \(expression); \(complaints)") }
            usleep(50_000)
        }
    }

    /// Waits for the element of a selector and clicks on it.
    package func click(_ selector: String) throws {
        let element = "document.querySelector(\(Self.quoted(selector)))"
        try wait(for: "\(element) !== null")
        try evaluate("\(element).click()")
    }

    /// Writes into the element of a selector as a keyboard does.
    package func type(_ text: String, into selector: String) throws {
        let element = "document.querySelector(\(Self.quoted(selector)))"
        try wait(for: "\(element) !== null")
        try evaluate("\(element).focus()")
        try call("Input.insertText", #"{"text":\#(Self.quoted(text))}"#)
    }

    // MARK: the protocol

    @discardableResult
    private func call(_ method: String, _ parameters: String = "{}") throws -> JSONValue {
        lastID += 1
        let address = session.isEmpty ? "" : #","sessionId":"\#(session)""#
        var text = Array(#"{"id":\#(lastID),"method":"\#(method)","params":\#(parameters)\#(address)}"#.utf8) + [0]
        while !text.isEmpty {
            let count = write(commands, text, text.count)
            guard count > 0 else { throw Failure(description: "\(method): errno \(errno)") }
            text.removeFirst(count)
        }
        let deadline = Date(timeIntervalSinceNow: 60)
        while let message = try next(before: deadline) {
            guard message["id"]?.integer == Int64(lastID) else {
                note(message)
                continue
            }
            if let error = message["error"] { throw Failure(description: "\(method): \(error.leaves)") }
            return message["result"] ?? .null
        }
        throw Failure(description: "\(method): no response; \(process.errors)")
    }

    private func note(_ event: JSONValue) {
        let details = event["params"]
        switch event["method"]?.string {
        case "Runtime.exceptionThrown":
            complaints.append((details?["exceptionDetails"]?.leaves ?? []).joined(separator: " "))
        case "Log.entryAdded" where details?["entry"]?["level"]?.string == "error":
            complaints.append((details?["entry"]?.leaves ?? []).joined(separator: " "))
        default: break
        }
    }

    private func next(before deadline: Date) throws -> JSONValue? {
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            if let end = unread.firstIndex(of: 0) {
                defer { unread.removeFirst(end + 1) }
                return JSONValue(Array(unread[..<end]))
            }
            let left = deadline.timeIntervalSinceNow
            var waiting = pollfd(fd: messages, events: Int16(POLLIN), revents: 0)
            guard left > 0, process.isRunning else { return nil }
            guard poll(&waiting, 1, Int32(min(left, 1) * 1_000)) > 0 else { continue }
            let count = read(messages, &buffer, buffer.count)
            guard count > 0 else { return nil }
            unread += buffer[..<count]
        }
    }

    private static func quoted(_ text: String) -> String {
        let data = (try? JSONEncoder().encode(text)) ?? Data("\"\"".utf8)
        return String(decoding: data, as: UTF8.self)
    }
}
