package import Base

/// One line of the report: what Weir did, what the peer did, and whether that is good enough.
package struct LoadRow: Sendable {
    /// What a value is counted in; the raw value is how it is written.
    package enum Unit: String, Sendable {
        case perSecond = "/s"
        case milliseconds = "ms"
        /// 10^6 bytes.
        case megabytes = "MB"
        case percent = "%"
        /// US dollars.
        case dollars = "$"
        case count = ""
    }

    /// What a value of Weir's means beside the peer's.
    package struct Comparison: Sendable, Equatable {
        /// How the two are set beside each other.
        package enum Kind: String, Sendable {
            /// Weir's over the peer's.
            case ratio
            /// Weir's less the peer's, in the row's unit.
            case added
            /// The share of the peer's that Weir saves, in per cent.
            case savingPercent
        }

        package var kind: Kind
        package var number: Double

        init(_ kind: Kind, _ value: Double, _ peer: Double) {
            self.kind = kind
            switch kind {
            case .ratio: number = peer > 0 ? value / peer : 0
            case .added: number = value - peer
            case .savingPercent: number = peer > 0 ? (1 - value / peer) * 100 : 0
            }
        }
    }

    /// Judges the comparison, or the value where there is none.
    package enum Target: Sendable, Equatable {
        case atLeast(Double)
        case atMost(Double)
    }

    /// What Weir is measured beside, and its value in the row's unit.
    package struct Peer: Sendable, Equatable {
        package var name: String
        package var value: Double
    }

    package var measure: String
    package var quantity: String
    package var value: Double
    package var unit: Unit
    package var peer: Peer?
    package var comparison: Comparison?
    package var target: Target?

    /// A value by itself.
    init(_ measure: String, _ quantity: String, _ value: Double, _ unit: Unit, target: Target? = nil) {
        (self.measure, self.quantity, self.value, self.unit, self.target) = (measure, quantity, value, unit, target)
    }

    /// A value beside a peer's.
    init(
        _ measure: String, _ quantity: String, _ value: Double, _ unit: Unit, _ peer: String, _ peerValue: Double,
        _ kind: Comparison.Kind, target: Target? = nil
    ) {
        self.init(measure, quantity, value, unit, target: target)
        self.peer = Peer(name: peer, value: peerValue)
        comparison = Comparison(kind, value, peerValue)
    }

    /// Nil when the row has no target.
    package var meetsTarget: Bool? {
        switch target {
        case .atLeast(let limit): judged >= limit
        case .atMost(let limit): judged <= limit
        case nil: nil
        }
    }

    private var judged: Double { comparison?.number ?? value }
}

/// What the load benchmark found. It prints; it never judges a build.
package struct LoadReport: Sendable {
    /// A measure that was asked for and gave no figure.
    package struct Skipped: Sendable, Equatable {
        package var measure: String
        package var reason: String
    }

    package var rows: [LoadRow] = []
    package var skipped: [Skipped] = []
    /// What a reader must know to trust the figures.
    package var notes: [String] = []
    package var seconds: Int
    package var cores: Int

    /// Everything that was asked for was measured; the verb ends with 0 then.
    package var isComplete: Bool { skipped.isEmpty }

    /// For programs; keys are stable.
    package var json: JSONValue {
        .object([
            ("benchmark", "load"), ("secondsPerRound", JSONValue(seconds)), ("cores", JSONValue(cores)),
            ("complete", .bool(isComplete)), ("rows", .array(rows.map(\.json))),
            ("notMeasured", .array(skipped.map(\.json))), ("notes", .array(notes.map { .string($0) })),
        ])
    }
}

extension LoadReport.Skipped {
    var json: JSONValue { .object([("measure", .string(measure)), ("reason", .string(reason))]) }
}

extension LoadRow {
    var json: JSONValue {
        var members: [(String, JSONValue)] = [
            ("measure", .string(measure)), ("quantity", .string(quantity)), ("unit", .string(unit.rawValue)),
            ("value", .rounded(value)),
        ]
        if let peer {
            members.append(("peer", .object([("name", .string(peer.name)), ("value", .rounded(peer.value))])))
        }
        if let comparison { members.append((comparison.kind.rawValue, .rounded(comparison.number))) }
        switch target {
        case .atLeast(let limit): members.append(("target", .object([("atLeast", .number(limit))])))
        case .atMost(let limit): members.append(("target", .object([("atMost", .number(limit))])))
        case nil: break
        }
        if let meetsTarget { members.append(("meetsTarget", .bool(meetsTarget))) }
        return .object(members)
    }
}

extension JSONValue {
    /// To a ten-thousandth: no measurement here is better than that.
    fileprivate static func rounded(_ value: Double) -> JSONValue { .number((value * 10_000).rounded() / 10_000) }
}
