/// The report for people: columns that line up, one line a figure.
extension LoadReport: CustomStringConvertible {
    package var description: String {
        var lines = ["load: \(cores) cores shared by generator, servers and Weir; \(seconds) s a round"]
        lines += Self.table(rows)
        lines += skipped.map { "  \($0.measure): not measured: \($0.reason)" }
        lines += notes.map { "  note: \($0)" }
        return lines.joined(separator: "\n")
    }

    /// The rows under a heading, a line each.
    static func table(_ rows: [LoadRow]) -> [String] {
        let heading = ["measure", "quantity", "weir", "peer", "", "compared", "target", ""]
        let table = [heading] + rows.map(\.cells)
        let widths = heading.indices.map { column in table.map { $0[column].count }.max() ?? 0 }
        return table.map { "  " + line($0, widths) }
    }

    /// Figures (the columns of Weir, of the peer and of the comparison) end in one column, words begin in one.
    private static func line(_ cells: [String], _ widths: [Int]) -> String {
        let padded = zip(cells, widths).enumerated().map { column, cell in
            let space = String(repeating: " ", count: max(0, cell.1 - cell.0.count))
            return [2, 3, 5].contains(column) ? space + cell.0 : cell.0 + space
        }
        var line = padded.joined(separator: "  ")
        while line.last == " " { line.removeLast() }
        return line
    }
}

extension LoadRow {
    /// measure, quantity, value, the peer's value and name, comparison, target, verdict.
    var cells: [String] {
        let name = unit == .count ? quantity : "\(quantity) [\(unit.rawValue)]"
        return [
            measure, name, text(value), peer.map { text($0.value) } ?? "", peer?.name ?? "", comparisonText, targetText,
            meetsTarget.map { $0 ? "ok" : "short" } ?? "",
        ]
    }

    private var comparisonText: String {
        guard let comparison else { return "" }
        let number = comparison.number
        return switch comparison.kind {
        case .ratio: fixed(number, 2) + " x"
        case .added: (number < 0 ? "" : "+") + text(number)
        case .savingPercent: fixed(number, 1) + " % less"
        }
    }

    private var targetText: String {
        switch target {
        case .atLeast(let limit): ">= " + short(limit)
        case .atMost(let limit): "<= " + short(limit)
        case nil: ""
        }
    }

    private func text(_ value: Double) -> String {
        switch unit {
        case .perSecond, .count: fixed(value, 0)
        case .milliseconds: fixed(value, 3)
        case .megabytes, .percent: fixed(value, 1)
        case .dollars: fixed(value, 3)
        }
    }

    private func short(_ value: Double) -> String {
        value == value.rounded() ? fixed(value, 0) : fixed(value, 2)
    }
}

/// A number with so many digits after the point.
func fixed(_ value: Double, _ digits: Int) -> String {
    precondition((0...6).contains(digits))
    guard value.isFinite, abs(value) < 1e12 else { return "-" }
    let scale = (0..<digits).reduce(1) { scale, _ in scale * 10 }
    let scaled = Int((abs(value) * Double(scale)).rounded())
    let sign = value < 0 && scaled > 0 ? "-" : ""
    guard digits > 0 else { return sign + "\(scaled)" }
    let fraction = String(scaled % scale)
    return sign + "\(scaled / scale)." + String(repeating: "0", count: digits - fraction.count) + fraction
}
