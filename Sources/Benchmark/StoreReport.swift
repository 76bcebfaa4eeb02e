internal import Base

/// What one side of the store benchmark did.
package struct StoreRate: Sendable {
    package var seconds: Double
    package var reads: Int
    package var writes: Int
    /// Over everything that was read and written; the same work gives the same sum.
    package var checksum: UInt64

    package var readsPerSecond: Double { Double(reads) / seconds }
    package var writesPerSecond: Double { Double(writes) / seconds }
    package var operationsPerSecond: Double { Double(reads + writes) / seconds }
}

/// Both sides of the store benchmark. Every row that was read was compared with what it must hold.
package struct StoreReport: Sendable, CustomStringConvertible {
    package var start: StoreRate
    package var ours: StoreRate
    /// The same writer with no reader beside it.
    package var startWriting: StoreRate
    package var oursWriting: StoreRate

    /// Operations a second, ours over the start.
    package var ratio: Double { quotient(\.operationsPerSecond) }
    package var meetsTarget: Bool { ratio >= StoreBenchmark.targetRatio }

    /// For people.
    package var description: String {
        """
        store: \(StoreBenchmark.readerThreads) readers by id, 1 writer that waits for each synced commit, \
        \(StoreBenchmark.rows) rows
          start  \(line(start))
          weir   \(line(ours))
          ratio  \(tenths(ratio))x operations (target \(tenths(StoreBenchmark.targetRatio))x: \
        \(meetsTarget ? "met" : "missed")), \(tenths(quotient(\.readsPerSecond)))x reads, \
        \(tenths(quotient(\.writesPerSecond)))x writes
          writer alone  \(Int(startWriting.writesPerSecond)) to \(Int(oursWriting.writesPerSecond)) writes/s, \
        \(tenths(oursWriting.writesPerSecond / max(1, startWriting.writesPerSecond)))x
        """
    }

    /// For programs; keys are stable.
    package var json: String {
        """
        {"benchmark":"store","rows":\(StoreBenchmark.rows),"readerThreads":\(StoreBenchmark.readerThreads),\
        "start":\(object(start)),"ours":\(object(ours)),\
        "startWriting":\(object(startWriting)),"oursWriting":\(object(oursWriting)),"ratio":\(tenths(ratio)),\
        "target":\(tenths(StoreBenchmark.targetRatio)),"meetsTarget":\(meetsTarget)}
        """
    }

    private func line(_ rate: StoreRate) -> String {
        "\(Int(rate.operationsPerSecond)) operations/s (\(Int(rate.readsPerSecond)) reads/s, "
            + "\(Int(rate.writesPerSecond)) writes/s; checksum \(String(rate.checksum, radix: 16)))"
    }

    private func object(_ rate: StoreRate) -> String {
        """
        {"seconds":\(tenths(rate.seconds)),"operationsPerSecond":\(tenths(rate.operationsPerSecond)),\
        "readsPerSecond":\(tenths(rate.readsPerSecond)),"writesPerSecond":\(tenths(rate.writesPerSecond)),\
        "reads":\(rate.reads),"writes":\(rate.writes),"checksum":\(JSONText.quote(String(rate.checksum, radix: 16)))}
        """
    }

    private func quotient(_ value: KeyPath<StoreRate, Double>) -> Double {
        start[keyPath: value] > 0 ? ours[keyPath: value] / start[keyPath: value] : 0
    }

    private func tenths(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }
}
