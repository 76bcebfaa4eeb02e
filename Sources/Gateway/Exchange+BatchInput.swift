import Base
import Ledger
import NIOCore
import Upstream

/// A batch is made of a file that its body names: it must be one of the tenant's own, and its provider is where the
/// batch must run. So this one kind of passed-through body is read before it goes on.
extension Exchange {
    /// The next piece of the body; nil ends it.
    func hold(_ piece: ByteBuffer?) {
        earlyPieces.append(piece)
        record.bytesIn += piece?.readableBytes ?? 0
        guard record.bytesIn <= Limits.uploadCreditBytes else {
            return answer(
                GatewayError(
                    413, "body_too_large", "a batch's own body may have \(Limits.uploadCreditBytes >> 10) KiB"))
        }
        guard piece == nil else { return }
        holdsUpload = false
        let body = UpstreamBody.stream(length: record.bytesIn)
        do throws(GatewayError) {
            guard let file = try batchInputFile() else {
                return submitPassThrough(to: configuration.passthrough, body: body)
            }
            findOwner(of: file) { self.submitPassThrough(to: $0.provider, body: body) }
        } catch {
            answer(error)
        }
    }

    /// Nil when none is named: the provider says what is missing.
    private func batchInputFile() throws(GatewayError) -> String? {
        var bytes: [UInt8] = []
        for piece in earlyPieces { bytes.append(contentsOf: piece?.readableBytesView ?? ByteBufferView()) }
        var named: [String?] = []
        let failure: JSONError? = bytes.withUnsafeBytes { bytes in
            var scanner = JSONScanner(bytes)
            do throws(JSONError) {
                try scanner.scanObject { member in
                    guard JSONText.decodeContent(bytes[member.key]) == "input_file_id" else { return }
                    named.append(JSONText.decodeString(bytes[member.value]))
                }
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw GatewayError(400, failure.code, failure.message) }
        guard named.count <= 1 else {
            throw GatewayError(
                400, "duplicate_field", "the field 'input_file_id' stands twice in the body; send it once",
                parameter: "input_file_id")
        }
        return named.first ?? nil
    }
}
