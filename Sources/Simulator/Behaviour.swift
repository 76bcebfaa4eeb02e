/// What one request asks the simulator to do beyond a plain good answer: the parsed form of `X-Simulate: a=1,b`
/// (or of the body's `x_simulate`). Counts are bytes, tokens or milliseconds as each line says.
package struct Behaviour: Sendable, Equatable {
    /// Answer with this status and the dialect's error.
    package var status: Int?
    /// An HTML page with this status.
    package var html: Int?
    /// Seconds of `retry-after`.
    package var retryAfter: Int?
    /// Seconds ahead of an HTTP date in `retry-after` (bare: 2).
    package var retryAfterDate: Int?
    /// Milliseconds of `retry-after-ms`.
    package var retryAfterMilliseconds: Int?
    /// Milliseconds of `x-ms-retry-after-ms`.
    package var azureRetryAfterMilliseconds: Int?
    /// Seconds ahead in `anthropic-ratelimit-requests-reset` (bare: 2).
    package var resetHeader: Int?
    package var latency: Duration?
    package var firstToken: Duration?
    package var tokensPerSecond: Double?
    /// The length of the answer in tokens.
    package var tokens: Int?
    /// Reset the connection after this many body bytes; 0: before the head.
    package var reset: Int?
    /// Close the connection in order after this many body bytes.
    package var close: Int?
    /// An error object after this many tokens.
    package var errorMid: Int?
    /// Nothing more after this many tokens, the connection stays open.
    package var stall: Int?
    /// One data line of this many bytes.
    package var longLine: Int?
    /// A plain answer of this many bytes.
    package var big: Int?
    /// 200, then an error object as the first event.
    package var errorFirst = false
    /// The stream ends without `[DONE]` or `message_stop`.
    package var noDone = false
    /// Lines of events end with CR LF.
    package var crlf = false
    /// Comments between events, and data over two lines.
    package var comments = false
    /// Every body byte is a write of its own.
    package var split = false
    /// The text is not ASCII.
    package var utf8 = false
    /// Half a UTF-8 sequence in the first token.
    package var badUTF8 = false
    /// A data line that is not JSON after the first token.
    package var malformed = false
    /// The stream's last blank line is missing.
    package var missingBlank = false
    /// Usage comes in a chunk whose choice has an empty delta.
    package var usageDelta = false
    /// No usage anywhere.
    package var noUsage = false
    /// More is announced than is sent, then the connection closes.
    package var truncate = false
    /// A chunk size that is no number, then the connection closes.
    package var badChunk = false
    /// A second complete answer follows that nobody asked for.
    package var extra = false
    /// The head leaves byte by byte.
    package var drip = false
    /// The connection closes right after the answer though keep-alive was promised.
    package var closeIdle = false
    /// Never answer.
    package var hang = false
    /// Compress when the request allows it, whatever the size.
    package var gzip = false
    /// Compress even when the request does not allow it.
    package var gzipForced = false

    package init() {}

    /// How the events of a stream are written.
    var eventStyle: EventScript.Style {
        EventScript.Style(
            crlf: crlf, comments: comments, longLine: longLine, badUTF8: badUTF8, malformed: malformed)
    }
}
