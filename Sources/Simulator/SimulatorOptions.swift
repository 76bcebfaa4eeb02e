/// How the simulated provider behaves when a request does not say otherwise.
package struct SimulatorOptions: Sendable {
    /// The address to listen on.
    package var host = "127.0.0.1"
    /// The TCP port; 0 takes any free one.
    package var port = 9400
    /// A unix socket to listen on instead of TCP.
    package var unixPath: String?
    /// The wait before the first byte of any answer.
    package var latency: Duration = .zero
    /// The further wait of a stream between its head and its first token.
    package var firstToken: Duration = .zero
    /// The pace of a stream; 0 sends as fast as the socket takes it.
    package var tokensPerSecond: Double = 0
    /// The same seed and the same body give the same answer.
    package var seed: UInt64 = 1
    /// The share of calls that fail, picked by the seed and the call's number.
    package var faults = FaultRates.none
    /// When set, a provider call with another key gets the dialect's 401.
    package var requiredKey: String?
    /// Event loops; one is enough for a thousand paced streams.
    package var threads = 1
    /// Each streamed token is the sender's `MonotonicInstant` as 20 decimal digits, for measuring delays.
    package var timestamps = false

    package init() {}
}
