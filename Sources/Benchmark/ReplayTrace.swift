internal import Base
internal import Glibc

/// Popularity by Zipf's law: rank r (from 1) is drawn with a probability that falls as 1 / r^exponent.
struct Zipf {
    private let cumulative: [Double]

    init(count: Int, exponent: Double) {
        precondition(count > 0)
        var sum = 0.0
        cumulative = (1...count).map { rank in
            sum += pow(Double(rank), -exponent)
            return sum
        }
    }

    /// - Parameter unit: uniform in [0, 1).
    /// - Returns: a rank less one. O(log n).
    func index(_ unit: Double) -> Int {
        let wanted = unit * cumulative[cumulative.count - 1]
        var (low, high) = (0, cumulative.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if cumulative[middle] > wanted { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

/// Which prompts are asked for, one after the other, and what they are. The same seed gives the same.
struct ReplayTrace {
    /// One question of the trace.
    struct Prompt {
        var body: String
        /// The length of its answer.
        var tokens: Int
    }

    let prompts: [Prompt]
    /// A prompt's place in `prompts` for each request.
    let requests: [Int]

    init(requests: Int, prompts: Int, seed: UInt64) {
        precondition(requests > 0 && prompts > 0)
        var random = SeededRandom(seed: seed)
        self.prompts = (0..<prompts).map { Self.prompt($0, &random) }
        let zipf = Zipf(count: prompts, exponent: 1)
        self.requests = (0..<requests).map { _ in zipf.index(random.nextUnit()) }
    }

    /// Before the restart and after it.
    var halves: [ArraySlice<Int>] { [requests[..<(requests.count / 2)], requests[(requests.count / 2)...]] }

    /// Different prompts that are asked for.
    var distinct: Set<Int> { Set(requests) }

    /// Some have a context of up to a page. Answers are log-normal, as lengths of texts are: half are shorter than 150
    /// tokens, one in a hundred is longer than 1,200.
    private static func prompt(_ number: Int, _ random: inout SeededRandom) -> Prompt {
        let sentence = "The mill stands where the river leaves the wood. "
        let context = String(repeating: sentence, count: Int(random.next() % 30))
        let normal = (-2 * log(1 - random.nextUnit())).squareRoot() * cos(2 * .pi * random.nextUnit())
        let body = """
            {"model":"gpt-4o-mini","messages":[{"role":"system","content":"You are a helpful assistant."},\
            {"role":"user","content":"\(context)Question \(number): what follows from this?"}],"temperature":0}
            """
        return Prompt(body: body, tokens: min(max(8, Int(150 * exp(0.9 * normal))), 4_000))
    }
}

/// What one cache of so many bytes could have answered by itself: a measure for the first layer. It begins empty.
enum ReplayBound {
    /// By Bélády's rule: what is wanted again last leaves first, be it what has just come. No cache knows the future;
    /// with answers of one size none does better. O(misses x prompts).
    static func belady(_ requests: some Collection<Int>, _ weights: [Int], budget: Int) -> Int {
        var next = Array(repeating: Int.max, count: weights.count)
        var nextUse: [Int] = []
        for (position, prompt) in requests.enumerated().reversed() {
            nextUse.append(next[prompt])
            next[prompt] = position
        }
        nextUse.reverse()
        return hits(requests, weights, budget) { -nextUse[$0] }
    }

    /// What was used least recently leaves first.
    static func lru(_ requests: some Collection<Int>, _ weights: [Int], budget: Int) -> Int {
        hits(requests, weights, budget) { $0 }
    }

    /// - Parameter worth: by a request's position, of its prompt from then on; the least leaves first.
    private static func hits(
        _ requests: some Collection<Int>, _ weights: [Int], _ budget: Int, worth: (Int) -> Int
    ) -> Int {
        let absent = Int.max
        var kept = Array(repeating: absent, count: weights.count)
        var (held, hits) = (0, 0)
        for (position, prompt) in requests.enumerated() {
            if kept[prompt] != absent { hits += 1 } else { held += weights[prompt] }
            kept[prompt] = worth(position)
            while held > budget {
                var least = prompt
                for other in kept.indices where kept[other] < kept[least] { least = other }
                kept[least] = absent
                held -= weights[least]
            }
        }
        return hits
    }
}
