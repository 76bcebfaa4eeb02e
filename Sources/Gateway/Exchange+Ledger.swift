import Base
import Ledger
import NIOCore
import Settings
import Telemetry
import Upstream

/// What a request used and cost, and its line in the ledger.
extension Exchange {
    func note(_ report: TransferReport) {
        record.sends = report.sends
        record.waitMicroseconds = report.waited.wholeNanoseconds / 1_000
        upstreamMicroseconds = (report.waited.wholeNanoseconds + report.took.wholeNanoseconds) / 1_000
    }

    func sinceReceived() -> Int64 {
        Int64(MonotonicInstant.now().nanoseconds(since: request.received) / 1_000)
    }

    /// Tokens and cost, from what the provider said or, failing that, an estimate that says so.
    func settleUsage() {
        guard let passage, route != nil, record.usage == nil, !paysNothing else { return }
        record.modelAnswered = passage.model
        if let refusal = passage.refusalCode(status: record.status) { record.errorCode = refusal }
        if passage.endedInError && record.status < 400 { record.errorCode = "stream_error" }
        if var usage = passage.usage {
            // Anthropic's stream tells its output at the end: before that, what was seen counts.
            if passage.isCutShort && usage.output < passage.estimatedOutput {
                usage.output = passage.estimatedOutput
                record.isUsageEstimated = true
            }
            record.usage = usage
        } else if record.status < 400 || record.status == 499, wasAsked || record.cacheResult == .collapsed,
            route != .countTokens, route != .responseInputTokens
        {
            record.usage = TokenUsage(input: estimatedInput, output: passage.estimatedOutput)
            record.isUsageEstimated = true
        }
        let model = record.modelRequested ?? ""
        guard let usage = record.usage else { return }
        record.costNanodollars =
            configuration.prices.cost(model: model, usage: usage)
            ?? record.modelAnswered.flatMap { configuration.prices.cost(model: $0, usage: usage) }
        notePromptCache(usage, model)
        if record.cacheResult == .collapsed {
            // Who left before the answer was there saved nothing.
            record.savedNanodollars = record.status == 499 ? nil : record.costNanodollars
            record.costNanodollars = 0
        }
    }

    /// What the provider's own prompt cache saved: the same tokens at the full price, less what they cost.
    private func notePromptCache(_ usage: TokenUsage, _ model: String) {
        guard usage.cachedInput > 0, record.cacheResult != .collapsed, let cost = record.costNanodollars else { return }
        var full = usage
        full.cachedInput = 0
        let price =
            configuration.prices.cost(model: model, usage: full)
            ?? record.modelAnswered.flatMap { configuration.prices.cost(model: $0, usage: full) }
        record.promptCachedNanodollars = price.map { max(0, $0 - cost) }
    }

    func finish() {
        guard !isOver else { return }
        settleUsage()
        isOver = true
        keepAlive?.cancel()
        gateway.metrics.active.add(-1)
        record.durationMicroseconds = sinceReceived()
        record.overheadMicroseconds = max(0, record.durationMicroseconds - upstreamMicroseconds)
        gateway.metrics.record(record)
        gateway.log.record(record)
        gateway.observe(record)
        if record.cacheResult == .collapsed { gateway.cacheMetrics.collapsed.add() }
        flight?.leave(self)
        flight = nil
        transfer = nil
        passage = nil
        part = nil
    }
}

/// Microseconds as milliseconds with three decimals.
func milliseconds(_ microseconds: Int64) -> String {
    let fraction = String(microseconds % 1_000 + 1_000).dropFirst()
    return "\(microseconds / 1_000).\(fraction)"
}

/// Nanodollars as dollars with nine decimals.
package func dollars(_ nanodollars: Int64) -> String {
    "\(nanodollars / 1_000_000_000).\(String(nanodollars % 1_000_000_000 + 1_000_000_000).dropFirst())"
}
