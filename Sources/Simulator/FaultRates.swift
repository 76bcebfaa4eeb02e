import Base

/// What goes wrong with a call.
package enum Fault: Hashable, Sendable {
    /// The provider answers with this status and the dialect's error.
    case status(Int)
    /// The connection is reset before any byte of an answer.
    case reset
}

/// A list of fault rates that cannot be used, and why.
package struct FaultRatesError: Failure {
    package let code = "bad_fault_rates"
    package let message: String
}

/// How often calls fail, written `429:0.1,503:0.05,reset:0.01` (shares of all calls, together at most 1).
package struct FaultRates: Sendable {
    private let entries: [(fault: Fault, share: Double)]

    /// Every call succeeds.
    package static let none = FaultRates(entries: [])

    private init(entries: [(fault: Fault, share: Double)]) { self.entries = entries }

    /// Reads the written form; an empty text means no faults.
    package init(text: String) throws(FaultRatesError) {
        var entries: [(fault: Fault, share: Double)] = []
        for part in text.split(separator: ",") {
            let pair = part.split(separator: ":", omittingEmptySubsequences: false)
            guard pair.count == 2, let share = Double(pair[1]), share >= 0, share <= 1 else {
                throw FaultRatesError(message: "expected FAULT:SHARE such as 429:0.1, got \(part)")
            }
            entries.append((try Self.fault(String(pair[0])), share))
        }
        guard entries.reduce(0, { $0 + $1.share }) <= 1.000_001 else {
            throw FaultRatesError(message: "the shares of all faults together exceed 1: \(text)")
        }
        self.entries = entries
    }

    private static func fault(_ name: String) throws(FaultRatesError) -> Fault {
        if name == "reset" { return .reset }
        guard let status = Int(name), (300...599).contains(status) else {
            throw FaultRatesError(message: "expected a status from 300 to 599 or reset, got \(name)")
        }
        return .status(status)
    }

    /// The fault of one call, or nil: always the same for one seed and call number.
    package func pick(seed: UInt64, call: Int) -> Fault? {
        guard !entries.isEmpty else { return nil }
        var random = SeededRandom(seed: seed ^ (UInt64(call) &* 0x9E37_79B9_7F4A_7C15))
        var point = random.nextUnit()
        for entry in entries {
            if point < entry.share { return entry.fault }
            point -= entry.share
        }
        return nil
    }
}
