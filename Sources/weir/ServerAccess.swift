import Base
import Benchmark
import Ledger
import Operations
import SQLite

/// How a verb reaches what it works on: the running server over its control socket while that holds the data folder,
/// the stores themselves while nobody does. No second process ever opens a live store.
enum ServerAccess {
    case running(ControlSocket)
    case stopped(DataFolder)

    init(_ folder: String) throws {
        do {
            self = .stopped(try DataFolder(folder))
        } catch is DataFolder.Locked {
            self = .running(ControlSocket(path: folder + "/control.sock"))
        }
    }
}

/// The control socket of a running server: its HTTP API, with the rights of `admin`.
struct ControlSocket {
    let path: String

    /// The server said no, or said nothing.
    struct Refusal: Failure {
        let code: String
        let message: String
        let exitCode: ExitCode
    }

    /// - Returns: the body of a 2xx answer.
    func call(_ method: String, _ target: String, body: JSONValue? = nil) throws -> String {
        let client = PlainClient(unixPath: path)
        var headers = [("Host", "localhost")]
        if body != nil { headers.append(("Content-Type", "application/json")) }
        let answer = try client.request(method, target, headers: headers, body: body.map { Array($0.text.utf8) } ?? [])
        let text = String(decoding: answer.body, as: UTF8.self)
        guard (200..<300).contains(answer.status) else {
            let problem = JSONDocumentText.member("detail", of: text) ?? "the server answered \(answer.status)"
            throw Refusal(
                code: JSONDocumentText.member("title", of: text) ?? "refused", message: problem,
                exitCode: answer.status == 503 ? .tryAgain : .failure)
        }
        return text
    }
}

/// Single members of small answers of our own.
enum JSONDocumentText {
    /// A text member of the top-level object.
    static func member(_ name: String, of text: String) -> String? {
        var capture = JSONMemberCapture([name])
        Array(text.utf8).withUnsafeBytes { capture.feed($0) }
        guard let raw = capture.values[0] else { return nil }
        return JSONText.decodeString(raw) ?? String(decoding: raw, as: UTF8.self)
    }
}
