import Base
import Glibc

/// How far a long piece of work is, on standard error: a bar on a terminal, a line every 10 % elsewhere.
struct ProgressLine {
    private let what: String
    private let total: Int
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private var shown = -1

    init(_ what: String, total: Int) {
        self.what = what
        self.total = max(1, total)
    }

    mutating func advance(to position: Int) {
        let percent = min(100, max(0, position) * 100 / total)
        let step = isTerminal ? percent : percent / 10 * 10
        guard step > shown else { return }
        shown = step
        guard isTerminal else { return step == 0 ? () : talk("\(what): \(step) %") }
        let bar = String(repeating: "#", count: step / 4) + String(repeating: ".", count: 25 - step / 4)
        writeText("\r\(what) [\(bar)] \(step) %", to: STDERR_FILENO)
    }

    /// Makes room for a line of another kind; the bar comes back with the next advance.
    mutating func clear() {
        guard isTerminal, shown >= 0 else { return }
        writeText("\r\u{1B}[K", to: STDERR_FILENO)
        shown = -1
    }
}
