import Base
import Ledger

/// Objects that providers keep for us under their own ids: stored responses, files, batches. Weir remembers which
/// tenant made each and at which provider, so that one provider account can serve many tenants who never see each
/// other's objects, and so that a later request about an object finds the provider that has it.
package struct ObjectOwnership: Sendable {
    /// The holder of an object.
    struct Owner: Sendable {
        var provider: String
    }

    /// What providers keep for their callers.
    package enum Kind: String, Sendable, CaseIterable {
        case response, file, batch

        var collection: String {
            switch self {
            case .response: "responses"
            case .file: "files"
            case .batch: "batches"
            }
        }
    }

    /// The collection the path is in; nil for paths that hold no objects we know of.
    package let kind: Kind?
    /// The object the path names.
    package let objectID: String?
    /// For metrics and the ledger: ids never become labels.
    package let routeTemplate: String
    private let method: String
    /// A stored response is being made (`POST /v1/responses`).
    var storesResponse = false

    /// An AI route: it names no object.
    static let none = ObjectOwnership(method: "POST", path: "/")

    package init(method: String, path: String) {
        self.method = method
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(String.init)
        // Without regard to case: a provider may not care for it either.
        let collection = parts.count >= 2 && parts[0] == "v1" ? parts[1].lowercased() : nil
        kind = Kind.allCases.first { $0.collection == collection }
        let named =
            kind != nil && parts.count >= 3 && !parts[2].isEmpty
            && !(parts[1] == "responses" && parts[2] == "input_tokens")
        objectID = named ? parts[2] : nil
        if let kind {
            let rest = named && parts.count > 3 && ["content", "cancel", "input_items"].contains(parts[3])
            routeTemplate = "/v1/\(kind.collection)" + (named ? "/{id}" : "") + (rest ? "/\(parts[3])" : "")
        } else {
            routeTemplate = "/v1/*"
        }
    }

    /// `POST /v1/files`, `POST /v1/batches`
    var createsObject: Bool { kind != nil && objectID == nil && method == "POST" }
    /// `POST /v1/batches`
    var makesBatch: Bool { kind == .batch && createsObject }
    /// `GET /v1/files`, `GET /v1/batches`: only the tenant's own objects may be shown.
    var listsObjects: Bool { kind != nil && objectID == nil && method == "GET" }
    /// Weir reads the answer, so it must come unencoded.
    var readsAnswer: Bool { createsObject || listsObjects || kind == .batch }

    /// - Parameter files: what a batch wrote; its tenant's too.
    func remember(_ id: String, files: [String], for exchange: Exchange) {
        guard let provider = exchange.provider?.name else { return }
        let tenant = exchange.request.principal.tenant
        let owners = exchange.gateway.owners
        if kind == .batch {
            for file in files {
                _ = owners.remember(id: file, tenant: tenant, provider: provider, kind: Kind.file.rawValue)
            }
        }
        if method == "DELETE", let objectID {
            _ = owners.forget(id: objectID)
        } else if storesResponse || (createsObject && kind != nil) {
            let kind = storesResponse ? Kind.response : kind ?? .file
            // Counted by the owners when it cannot be kept: the object then simply is not found later.
            _ = owners.remember(id: id, tenant: tenant, provider: provider, kind: kind.rawValue)
        }
    }
}

/// Takes foreign objects out of a provider's list, leaving every other byte as it is.
enum ListFilter {
    /// - Returns: nil when the body is no list.
    static func keep(_ ids: Set<String>, in body: [UInt8]) -> [UInt8]? {
        body.withUnsafeBytes { bytes -> [UInt8]? in
            var scanner = JSONScanner(bytes)
            var data: Range<Int>?
            var edges: [(range: Range<Int>, isFirst: Bool)] = []
            do {
                try scanner.scanObject { member in
                    switch String(decoding: bytes[member.key], as: UTF8.self) {
                    case "data" where member.kind == .array: data = member.value
                    case "first_id": edges.append((member.value, true))
                    case "last_id": edges.append((member.value, false))
                    default: break
                    }
                }
                guard let data else { return nil }
                var kept: [(id: String, text: [UInt8])] = []
                try scanner.scanArray(in: data) { range, kind in
                    guard kind == .object, let id = Self.id(of: range, bytes), ids.contains(id) else { return }
                    kept.append((id, Array(bytes[range])))
                }
                let first = kept.first.map { JSONText.quote($0.id) } ?? "null"
                let last = kept.last.map { JSONText.quote($0.id) } ?? "null"
                var edits = [(data, [0x5B] + kept.map(\.text).joined(separator: [0x2C]) + [0x5D])]
                for edge in edges { edits.append((edge.range, Array((edge.isFirst ? first : last).utf8))) }
                return splice(Array(bytes), edits)
            } catch {
                return nil
            }
        }
    }

    private static func id(of range: Range<Int>, _ bytes: UnsafeRawBufferPointer) -> String? {
        var scanner = JSONScanner(bytes)
        var id: String?
        do {
            try scanner.scanObject(in: range) { member in
                if bytes[member.key].elementsEqual("id".utf8) { id = JSONText.decodeString(bytes[member.value]) }
            }
        } catch { return nil }
        return id
    }

    private static func splice(_ body: [UInt8], _ edits: [(Range<Int>, [UInt8])]) -> [UInt8] {
        var result: [UInt8] = []
        var position = 0
        for (range, text) in edits.sorted(by: { $0.0.lowerBound < $1.0.lowerBound }) {
            result += body[position..<range.lowerBound] + text
            position = range.upperBound
        }
        return result + body[position...]
    }
}
