import NIOCore

/// An uploaded file, or one that a batch wrote.
struct StoredFile: Kept {
    let id: String
    let name: String
    let purpose: String
    let created: Int
    let content: ByteBuffer

    var byteCount: Int { content.readableBytes }

    func write(to buffer: inout ByteBuffer) {
        buffer.put("{\"object\":\"file\",\"id\":\"\(id)\",\"purpose\":")
        buffer.putQuoted(purpose)
        buffer.put(",\"filename\":")
        buffer.putQuoted(name)
        buffer.put(",\"bytes\":\(byteCount),\"created_at\":\(created),\"expires_at\":null,")
        buffer.put("\"status\":\"processed\",\"status_details\":null}")
    }
}

/// `/files`.
extension ProviderMemory {
    func fileAnswer(_ request: SimulatedRequest) throws(Refusal) -> ByteBuffer {
        var buffer = ByteBuffer()
        switch (request.method, request.path) {
        case ("POST", .files): try addFile(request).write(to: &buffer)
        case ("GET", .files):
            let all = files
            putList(all.map(\.id), to: &buffer) { all[$0].write(to: &$1) }
        case ("GET", .file): try known(request.id).write(to: &buffer)
        case ("GET", .fileContent): buffer = try known(request.id).content
        case ("DELETE", .file):
            let file = try known(request.id)
            _ = removeFile(file.id)
            buffer.put("{\"id\":\"\(file.id)\",\"object\":\"file\",\"deleted\":true}")
        default: throw Refusal.wrongTarget(request)
        }
        return buffer
    }

    private func known(_ id: String) throws(Refusal) -> StoredFile {
        guard let file = file(id) else { throw Refusal.notFound("file", id: id) }
        return file
    }

    private func addFile(_ request: SimulatedRequest) throws(Refusal) -> StoredFile {
        let parts = FormPart.parse(request.body, contentType: request.header("content-type") ?? "")
        guard let file = parts.first(where: { $0.name == "file" }) else {
            throw Refusal(status: 400, message: "Missing required parameter: 'file'.", parameter: "file")
        }
        guard let purpose = parts.first(where: { $0.name == "purpose" }) else {
            throw Refusal(status: 400, message: "Missing required parameter: 'purpose'.", parameter: "purpose")
        }
        // The buffer of the whole upload is not kept alive by a slice of it.
        var content = ByteBuffer()
        content.writeImmutableBuffer(file.content)
        return addFile(
            named: file.fileName ?? "upload", purpose: String(buffer: purpose.content), content: content)
    }

    /// Keeps a file under a new id.
    func addFile(named name: String, purpose: String, content: ByteBuffer) -> StoredFile {
        let serial = nextSerial()
        let file = StoredFile(
            id: identifier("file-", UInt64(serial) &* 0x9FB2_1C65_1E98_DF25), name: name, purpose: purpose,
            created: 1_750_000_000 + serial, content: content)
        keep(file)
        return file
    }
}

/// OpenAI's list object.
func putList(_ ids: [String], to buffer: inout ByteBuffer, item: (Int, inout ByteBuffer) -> Void) {
    buffer.put("{\"object\":\"list\",\"data\":[")
    for index in ids.indices {
        if index > 0 { buffer.put(",") }
        item(index, &buffer)
    }
    let first = ids.first.map { "\"\($0)\"" } ?? "null"
    let last = ids.last.map { "\"\($0)\"" } ?? "null"
    buffer.put("],\"first_id\":\(first),\"last_id\":\(last),\"has_more\":false}")
}
