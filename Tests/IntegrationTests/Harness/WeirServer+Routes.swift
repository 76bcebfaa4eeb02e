import Base

/// What tests ask the server about itself.
extension WeirServer {
    /// Makes a key by `POST /keys`.
    /// - Returns: its secret.
    func createKey(_ name: String, tenant: String? = nil, scopes: [String] = ["ai", "passthrough"]) throws -> String {
        let names = scopes.map(JSONText.quote).joined(separator: ",")
        let owner = JSONText.quote(tenant ?? name)
        let answer = try client.post(
            "/keys", #"{"name":\#(JSONText.quote(name)),"tenant":\#(owner),"scopes":[\#(names)]}"#)
        guard answer.status == 201, let secret = try answer.json()["key"].string else {
            throw HarnessFailure("POST /keys answered \(answer.status): \(answer.text)")
        }
        return secret
    }

    /// Rows of the request log, newest first.
    /// - Parameter query: as in `status=499&limit=5`.
    func requests(_ query: String = "limit=1000") throws -> [JSON] {
        let answer = try client.get("/requests?\(query)")
        guard answer.status == 200 else {
            throw HarnessFailure("GET /requests answered \(answer.status): \(answer.text)")
        }
        return try answer.json()["requests"].elements
    }

    /// The row of one request, once it has been written.
    func ledgerRow(_ id: String?) throws -> JSON {
        try awaited("the ledger's row of request \(id ?? "(no id)")") { try requests().first { $0["id"].string == id } }
    }

    /// The newest row that fits, once it has been written.
    func ledgerRow(where fits: (JSON) -> Bool) throws -> JSON {
        try awaited("a row of the ledger") { try requests().first(where: fits) }
    }

    /// The sum of one metric over the samples whose labels hold the text.
    func metric(_ name: String, label: String = "") throws -> Double {
        let answer = try client.get("/metrics")
        let samples = answer.text.split(separator: "\n").filter {
            ($0.hasPrefix(name + "{") || $0.hasPrefix(name + " ")) && $0.contains(label)
        }
        return samples.reduce(0) { $0 + ($1.split(separator: " ").last.flatMap { Double($0) } ?? 0) }
    }
}
