import Base
import NIOCore

/// A batch. It is answered when it is created and says so from the first time it is asked for.
struct StoredBatch: Kept {
    let id: String
    let endpoint: String
    let inputFile: String
    let window: String
    let created: Int
    /// The request's `metadata` as JSON.
    let metadata: String
    var status = "validating"
    var outputFile: String?
    var errorFile: String?
    var completed = 0
    var failed = 0

    var byteCount: Int { 512 + metadata.utf8.count }

    func write(to buffer: inout ByteBuffer) {
        func quoted(_ id: String?) -> String { id.map { "\"\($0)\"" } ?? "null" }
        let isDone = status == "completed"
        let doneAt = isDone ? String(created + 1) : "null"
        buffer.put("{\"id\":\"\(id)\",\"object\":\"batch\",\"endpoint\":")
        buffer.putQuoted(endpoint)
        buffer.put(",\"errors\":null,\"input_file_id\":")
        buffer.putQuoted(inputFile)
        buffer.put(",\"completion_window\":")
        buffer.putQuoted(window)
        buffer.put(",\"status\":\"\(status)\",\"output_file_id\":\(quoted(isDone ? outputFile : nil))")
        buffer.put(",\"error_file_id\":\(quoted(isDone ? errorFile : nil)),\"created_at\":\(created)")
        buffer.put(",\"in_progress_at\":\(doneAt),\"expires_at\":\(created + 86_400),\"finalizing_at\":\(doneAt)")
        buffer.put(",\"completed_at\":\(doneAt),\"failed_at\":null,\"expired_at\":null,\"cancelling_at\":null")
        buffer.put(",\"cancelled_at\":\(status == "cancelled" ? String(created + 1) : "null")")
        let counts = isDone ? (completed + failed, completed, failed) : (0, 0, 0)
        buffer.put(",\"request_counts\":{\"total\":\(counts.0),\"completed\":\(counts.1),\"failed\":\(counts.2)}")
        buffer.put(",\"metadata\":\(metadata)}")
    }
}

/// `/batches`.
extension Provider {
    /// Lines of one batch that are run; OpenAI's own limit.
    private static let batchLinesMax = 50_000

    func batchAnswer(_ request: SimulatedRequest, _ fields: RequestFields) throws(Refusal) -> ByteBuffer {
        var buffer = ByteBuffer()
        switch (request.method, request.path) {
        case ("POST", .batches): try createBatch(fields).write(to: &buffer)
        case ("GET", .batches):
            let all = memory.batches
            putList(all.map(\.id), to: &buffer) { all[$0].write(to: &$1) }
        case ("GET", .batch): try advance(request.id, to: "completed").write(to: &buffer)
        case ("POST", .batchCancel): try advance(request.id, to: "cancelled").write(to: &buffer)
        default: throw Refusal.wrongTarget(request)
        }
        return buffer
    }

    /// Takes a batch out of its first state; in any other it stays.
    private func advance(_ id: String, to status: String) throws(Refusal) -> StoredBatch {
        guard var batch = memory.batch(id) else { throw Refusal.notFound("batch", id: id) }
        if batch.status == "validating" { batch.status = status }
        memory.keep(batch)
        return batch
    }

    private func createBatch(_ fields: RequestFields) throws(Refusal) -> StoredBatch {
        try fields.require(.inputFileID, .endpoint, .completionWindow)
        let inputFile = fields.string(.inputFileID) ?? ""
        guard let input = memory.file(inputFile) else { throw Refusal.notFound("file", id: inputFile) }
        let serial = memory.nextSerial()
        var batch = StoredBatch(
            id: identifier("batch_", UInt64(serial) &* 0xD6E8_FEB8_6659_FD93, length: 32),
            endpoint: fields.string(.endpoint) ?? "", inputFile: inputFile,
            window: fields.string(.completionWindow) ?? "24h", created: 1_750_000_000 + serial,
            metadata: String(buffer: fields.raw(.metadata, else: "null")))
        run(input, for: &batch)
        memory.keep(batch)
        return batch
    }

    private func run(_ input: StoredFile, for batch: inout StoredBatch) {
        var output = ByteBuffer()
        var errors = ByteBuffer()
        for line in input.content.readableBytesView.split(separator: UInt8(ascii: "\n")).prefix(Self.batchLinesMax) {
            let serial = memory.nextSerial()
            guard let item = BatchLine(ByteBuffer(bytes: line)) else {
                batch.failed += 1
                errors.put("{\"id\":\"batch_req_\(serial)\",\"custom_id\":null,\"response\":null,")
                errors.put("\"error\":{\"code\":\"invalid_json\",\"message\":\"The line is not a request.\"}}\n")
                continue
            }
            let (status, body) = answer(item)
            if status == 200 { batch.completed += 1 } else { batch.failed += 1 }
            var line = ByteBuffer()
            item.write(serial: serial, status: status, body: body, to: &line)
            if status == 200 { output.writeBuffer(&line) } else { errors.writeBuffer(&line) }
        }
        if output.readableBytes > 0 {
            batch.outputFile =
                memory.addFile(named: "\(batch.id)_output.jsonl", purpose: "batch_output", content: output).id
        }
        if errors.readableBytes > 0 {
            batch.errorFile =
                memory.addFile(named: "\(batch.id)_error.jsonl", purpose: "batch_output", content: errors).id
        }
    }

    private func answer(_ line: BatchLine) -> (status: Int, body: ByteBuffer) {
        let (path, id) = RoutePath.find(line.url)
        let request = SimulatedRequest(
            method: "POST", path: path, id: id, uri: line.url, body: line.body,
            bodyBytes: line.body.readableBytes, bodyHash: FNV1a.hash(line.body))
        let answer = plainAnswer(request)
        return (answer.status, answer.body.bytes)
    }
}

/// One line of a batch's input file.
private struct BatchLine {
    let customID: ByteBuffer
    let url: String
    let body: ByteBuffer

    init?(_ text: ByteBuffer) {
        let document = JSONDocument(text: text)
        var found: [String: JSONValue] = [:]
        do { try document.scan { found[$0] = $1 } } catch { return nil }
        guard let customID = found["custom_id"], let url = document.string(found["url"]),
            let body = found["body"], body.kind == .object
        else { return nil }
        self.customID = document.raw(customID)
        self.url = url
        self.body = document.raw(body)
    }

    func write(serial: Int, status: Int, body: ByteBuffer, to buffer: inout ByteBuffer) {
        buffer.put("{\"id\":\"batch_req_\(serial)\",\"custom_id\":")
        buffer.writeImmutableBuffer(customID)
        buffer.put(",\"response\":{\"status_code\":\(status),\"request_id\":\"req_\(serial)\",\"body\":")
        buffer.writeImmutableBuffer(body)
        buffer.put("},\"error\":null}\n")
    }
}
