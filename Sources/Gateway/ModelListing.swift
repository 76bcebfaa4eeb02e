import Base
import Ledger
package import NIOCore
package import Settings
import Synchronization
import Upstream

/// `GET /v1/models`: the aliases of the settings and what each provider lists, in the shape the caller's dialect
/// expects. Providers are asked at the same time, and their lists kept for `Limits.modelListLife`.
extension Gateway {
    /// One entry of the list.
    package struct ListedModel: Sendable, Hashable {
        package var id: String
        package var owner: String
        package var created: Int64
    }

    /// Calls back on the loop with all models, sorted by id. A provider that does not answer in time is left out.
    package func listModels(on loop: any EventLoop, then give: @escaping @Sendable ([ListedModel]) -> Void) {
        let configuration = configuration
        let aliases = configuration.catalog.aliases.keys.map { ListedModel(id: $0, owner: "weir", created: 0) }
        let asked = configuration.catalog.providers.map { provider in
            providerModels(provider, on: loop)
        }
        let providers = configuration.catalog.providers
        EventLoopFuture.whenAllSucceed(asked, on: loop).whenSuccess { lists in
            var found = Dictionary(aliases.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
            for (provider, models) in zip(providers, lists) {
                // What the settings send elsewhere is not the provider's to offer here.
                for model in models where found[model.id] == nil && provider.claims(model.id) {
                    found[model.id] = model
                }
            }
            give(found.values.sorted { $0.id < $1.id })
        }
    }

    private func providerModels(_ provider: ProviderRoute, on loop: any EventLoop) -> EventLoopFuture<[ListedModel]> {
        if let known = modelLists.fresh(provider.name, now: .now()) { return loop.makeSucceededFuture(known) }
        let promise = loop.makePromise(of: [ListedModel].self)
        var headers = HeaderFields()
        if provider.dialect == .anthropic { headers.add("anthropic-version", "2023-06-01") }
        let (sent, _) = provider.headers(headers, decodes: true, now: .now())
        let query = provider.dialect == .anthropic ? "limit=1000" : nil
        let fetch = Fetch(timeout: .seconds(5), loop: loop) { [modelLists] status, body in
            guard status == 200, let models = Self.parseModels(body, owner: provider.name) else {
                return promise.succeed(modelLists.last(provider.name))
            }
            modelLists.keep(provider.name, models, now: .now())
            promise.succeed(models)
        }
        fetch.start(
            UpstreamRequest(
                method: "GET",
                url: provider.dialect.url(base: provider.baseURL, path: "/v1/models", query: query),
                headers: sent, body: .none),
            endpoint: provider.endpoint, pool: pool)
        return promise.futureResult
    }

    /// Reads `{"data":[{"id":…}]}` of either dialect; nil when it is something else.
    static func parseModels(_ body: [UInt8], owner: String) -> [ListedModel]? {
        body.withUnsafeBytes { bytes -> [ListedModel]? in
            var scanner = JSONScanner(bytes)
            var data: Range<Int>?
            var models: [ListedModel] = []
            do {
                try scanner.scanObject {
                    if bytes[$0.key].elementsEqual("data".utf8), $0.kind == .array { data = $0.value }
                }
                guard let data else { return nil }
                try scanner.scanArray(in: data) { range, kind in
                    guard kind == .object, models.count < Limits.modelsPerProviderMax else { return }
                    if let model = Self.parseModel(bytes, range, owner) { models.append(model) }
                }
            } catch { return nil }
            return models
        }
    }

    private static func parseModel(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, _ owner: String)
        -> ListedModel?
    {
        var scanner = JSONScanner(bytes)
        var model = ListedModel(id: "", owner: owner, created: 0)
        do {
            try scanner.scanObject(in: range) { member in
                let value = bytes[member.value]
                switch String(decoding: bytes[member.key], as: UTF8.self) {
                case "id": model.id = JSONText.decodeString(value) ?? ""
                case "created":
                    // Up to the year 9999: later ones cannot be written as a date.
                    let seconds = Int64(String(decoding: value, as: UTF8.self)) ?? 0
                    model.created = (0..<253_402_300_800).contains(seconds) ? seconds : 0
                case "created_at":
                    let text = JSONText.decodeString(value) ?? ""
                    model.created = HTTPDate.parseRFC3339(text)?.seconds ?? 0
                default: break
                }
            }
        } catch { return nil }
        return model.id.isEmpty ? nil : model
    }

    /// The list (or with `only` one model) as the dialect writes it.
    package static func renderModels(_ models: [ListedModel], _ dialect: Settings.Dialect) -> String {
        let items = models.map { renderModel($0, dialect) }.joined(separator: ",")
        switch dialect {
        case .openai: return "{\"object\":\"list\",\"data\":[\(items)]}"
        case .anthropic:
            let first = models.first.map { JSONText.quote($0.id) } ?? "null"
            let last = models.last.map { JSONText.quote($0.id) } ?? "null"
            return "{\"data\":[\(items)],\"has_more\":false,\"first_id\":\(first),\"last_id\":\(last)}"
        }
    }

    /// One model as the dialect writes it.
    package static func renderModel(_ model: ListedModel, _ dialect: Settings.Dialect) -> String {
        let id = JSONText.quote(model.id)
        switch dialect {
        case .openai:
            return
                "{\"id\":\(id),\"object\":\"model\",\"created\":\(model.created),"
                + "\"owned_by\":\(JSONText.quote(model.owner))}"
        case .anthropic:
            let date = UnixTime(microseconds: model.created * 1_000_000).iso8601.prefix(19)
            return "{\"type\":\"model\",\"id\":\(id),\"display_name\":\(id),\"created_at\":\"\(date)Z\"}"
        }
    }
}

/// What providers last said of their models.
final class ModelListCache: Sendable {
    private struct Entry {
        var models: [Gateway.ListedModel]
        var until: MonotonicInstant
    }

    private let entries = Mutex<[String: Entry]>([:])

    func fresh(_ provider: String, now: MonotonicInstant) -> [Gateway.ListedModel]? {
        entries.withLock { $0[provider].flatMap { $0.until > now ? $0.models : nil } }
    }

    /// However old: better than nothing while the provider is down.
    func last(_ provider: String) -> [Gateway.ListedModel] { entries.withLock { $0[provider]?.models ?? [] } }

    func keep(_ provider: String, _ models: [Gateway.ListedModel], now: MonotonicInstant) {
        entries.withLock { $0[provider] = Entry(models: models, until: now.advanced(by: Limits.modelListLife)) }
    }

    func clear() { entries.withLock { $0 = [:] } }
}

/// One small request of Weir's own, its answer collected whole.
final class Fetch: TransferReceiver, @unchecked Sendable {  // confined to `loop`
    private static let bytesMax = 8 << 20

    private let loop: any EventLoop
    private let timeout: Duration
    private var finish: (@Sendable (Int, [UInt8]) -> Void)?
    private var transfer: Transfer?
    private var status = 0
    private var body: [UInt8] = []
    private var timer: Scheduled<Void>?

    /// - Parameter finish: gets the status and body, or status 0 when there was no whole answer in time. Called once.
    init(timeout: Duration, loop: any EventLoop, finish: @escaping @Sendable (Int, [UInt8]) -> Void) {
        self.loop = loop
        self.timeout = timeout
        self.finish = finish
    }

    func start(_ request: UpstreamRequest, endpoint: Endpoint, pool: UpstreamPool) {
        transfer = pool.start(request, endpoint: endpoint, eventLoop: loop, receiver: self)
        timer = loop.scheduleTask(in: .nanoseconds(timeout.wholeNanoseconds)) { self.end(0) }
    }

    func transfer(_ transfer: Transfer, received event: TransferEvent) {
        switch event {
        case .head(let head, _): status = head.status
        case .body(let bytes):
            transfer.consumed(bytes.readableBytes)
            body.append(contentsOf: bytes.readableBytesView)
            if body.count > Self.bytesMax { end(0) }
        case .uploaded: break
        case .end: end(status)
        case .failed: end(0)
        }
    }

    func transferBatchEnded() {}

    private func end(_ status: Int) {
        guard let finish else { return }
        self.finish = nil
        timer?.cancel()
        transfer?.cancel()
        transfer = nil
        finish(status, body)
    }
}
