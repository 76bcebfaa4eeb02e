/// Every bound that is not a setting, in one place with its reason. What an operator may change is in `Settings`.
package enum Limits {
    /// Deeper JSON than this is refused: no client nests further, and a scanner needs no more than a bit a level.
    package static let jsonDepthMax = 512
    /// An answer larger than this is streamed through without looking for its usage: no chat answer comes near.
    package static let usageScanBytesMax = 32 << 20
    /// One server-sent event; images come as base64 inside one event, so this is generous.
    package static let eventBytesMax = 16 << 20
    /// Request log rows that wait for the writer: two seconds of the fastest measured traffic, about 20 MiB.
    package static let ledgerMailboxRows = 65_536
    /// Rows a commit: one commit costs the same for one row or for thousands.
    package static let ledgerBatchRows = 8_192
    /// How long the request log may lag behind.
    package static let ledgerBatchDelay = Duration.milliseconds(100)
    /// SQLite readers a file: reads are short, and two cores run no more at once than this.
    package static let databaseReaders = 8
    /// Bytes of one stream that may wait for a slow client before its transfer pauses.
    package static let streamCreditBytes = 256 << 10
    /// The same on a connection that streams share (HTTP/2): pausing one would stop all, so it is cut beyond this.
    package static let sharedStreamCreditBytes = 8 << 20
    /// Silence in a stream after which the client is told that it lives: below the idle limits of common proxies.
    package static let streamKeepAlive = Duration.seconds(15)
    /// Bytes of an upload that may wait for a slow provider before the client's socket is no longer read.
    package static let uploadCreditBytes = 256 << 10
    /// All header lines of a provider's answer together.
    package static let upstreamHeaderBytesMax = 256 << 10
    /// The longest wait a provider's Retry-After may ask of us: a day-long hint must not freeze a key.
    package static let retryAfterMax = Duration.seconds(60)
    /// Names of keys, tenants, providers, queues: 1 to 128 characters.
    package static let nameLengthMax = 128
    /// Rows that one page of the request log holds at most.
    package static let requestLogPageMax = 1_000
    /// A provider's list of files or batches, read whole because it must be filtered.
    package static let objectListBytesMax = 8 << 20
    /// Entries of `/v1/models` taken from one provider.
    package static let modelsPerProviderMax = 10_000
    /// How long the list of models of a provider is kept before it is asked again.
    package static let modelListLife = Duration.seconds(300)
}

/// `A-Z a-z 0-9 . _ -`, starting with a letter or digit, at most 128: safe in a path, a label and a log line.
package func isValidName(_ name: String) -> Bool {
    guard let first = name.utf8.first, name.utf8.count <= Limits.nameLengthMax else { return false }
    func alphanumeric(_ c: UInt8) -> Bool {
        (c >= 48 && c <= 57) || (c >= 65 && c <= 90) || (c >= 97 && c <= 122)
    }
    return alphanumeric(first) && name.utf8.allSatisfy { alphanumeric($0) || $0 == 46 || $0 == 95 || $0 == 45 }
}
