internal import Base

/// The request that all measures send.
enum ChatRequest {
    static let path = "/v1/chat/completions"

    private static let opening = """
        {"model":"gpt-4o-mini","messages":[{"role":"system","content":"You are a helpful assistant that answers \
        briefly."},{"role":"user","content":"
        """
    private static let question = """
        What is the capital of France? Answer in two or three sentences, please, with some history."}],"temperature":0}
        """

    static let body = opening + question

    /// What stands before and after the twelve digits that make it a request of its own.
    static let numberedParts = (opening + "Case ", ": " + question)

    /// - Parameter number: from 0 to 999,999,999,999.
    static func body(_ number: Int) -> String {
        let digits = String(number)
        precondition(number >= 0 && digits.count <= 12)
        return numberedParts.0 + String(repeating: "0", count: 12 - digits.count) + digits + numberedParts.1
    }

    static let streamBody = """
        {"model":"gpt-4o-mini","stream":true,"messages":[{"role":"system","content":"You are a helpful assistant that \
        answers briefly."},{"role":"user","content":"What is the capital of France?"}],"temperature":0}
        """

    static func headers(key: String) -> [(String, String)] {
        [("Content-Type", "application/json"), ("Authorization", "Bearer \(key)")]
    }

    static func plain(_ client: PlainClient, key: String, body: String = body) -> [UInt8] {
        client.prepare("POST", path, headers: headers(key: key), body: Array(body.utf8))
    }

    /// - Parameter tokens: how long the simulator's answer is.
    static func stream(_ client: PlainClient, key: String, tokens: Int) -> [UInt8] {
        let all = headers(key: key) + [("Accept", "text/event-stream"), ("X-Simulate", "tokens=\(tokens)")]
        return client.prepare("POST", path, headers: all, body: Array(streamBody.utf8))
    }

    /// The answer must be the mock's, byte for byte, before its speed is of any interest.
    static func check(_ answer: PlainResponse, from whom: String) throws(BenchmarkFailure) {
        guard answer.status == 200 else {
            throw .wrongAnswers("\(whom) answered \(answer.status): \(String(answer.text.prefix(200)))")
        }
        guard answer.text == Workbench.chatAnswer else {
            throw .wrongAnswers("\(whom) changed the body: \(String(answer.text.prefix(200)))")
        }
    }
}
