import Base
import NIOCore

/// `/simulator/…`: what tests and benchmarks ask the simulator about itself.
extension Provider {
    /// The answer to a request for `/simulator/…`, or nil for any other.
    func control(method: String, uri: String, _ connection: ConnectionTerms) -> Transfer? {
        guard uri.utf8.starts(with: "/simulator/".utf8) else { return nil }
        var json = ByteBuffer()
        switch (method, uri.prefix { $0 != "?" }) {
        case ("GET", "/simulator/calls"): putCalls(counters.counts, &json)
        case ("GET", "/simulator/last"): putLast(counters.last, &json)
        case ("POST", "/simulator/reset"):
            counters.reset()
            memory.forgetAll()
            json.put("{}")
        default:
            json.put("{\"error\":\"GET /simulator/calls, GET /simulator/last or POST /simulator/reset\"}")
            return Transfer(control: json, status: 404, connection)
        }
        return Transfer(control: json, status: 200, connection)
    }

    private func putCalls(_ counts: CallCounts, _ json: inout ByteBuffer) {
        json.put("{\"total\":\(counts.total),\"byRoute\":{")
        for (index, route) in counts.byRoute.sorted(by: { $0.key < $1.key }).enumerated() {
            json.put(index == 0 ? "" : ",")
            json.put("\"\(route.key)\":\(route.value)")
        }
        json.put("},\"active\":\(counts.active),\"cancelled\":\(counts.cancelled)")
        json.put(",\"connectionsOpened\":\(counts.connectionsOpened),\"connectionsOpen\":\(counts.connectionsOpen)}")
    }

    private func putLast(_ request: SimulatedRequest?, _ json: inout ByteBuffer) {
        guard let request else {
            json.put("null")
            return
        }
        json.put("{\"method\":\"\(request.method)\",\"uri\":")
        json.putQuoted(request.uri)
        json.put(",\"headers\":[")
        for (index, header) in request.headers.enumerated() {
            json.put(index == 0 ? "[" : ",[")
            json.putQuoted(header.name)
            json.put(",")
            json.putQuoted(header.value)
            json.put("]")
        }
        let kept = request.body.readableBytesView.prefix(CallCounters.keptBodyBytesMax)
        json.put("],\"bodyBase64\":\"\(base64(Array(kept)))\",\"bodyBytes\":\(request.bodyBytes)")
        let hash = String(request.bodyHash, radix: 16)
        json.put(",\"bodyFNV1a\":\"\(String(repeating: "0", count: 16 - hash.count))\(hash)\"}")
    }
}
