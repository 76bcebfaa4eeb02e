internal import Base

extension ValueType where Value == ByteCount {
    static func size(_ range: ClosedRange<ByteCount>) -> ValueType {
        anySize.checked { range.contains($0) ? nil : "expected a size \(within(range, $0))" }
    }

    /// 0 switches off what the size is for.
    static func sizeOrZero(_ range: ClosedRange<ByteCount>) -> ValueType {
        anySize.checked { $0.bytes == 0 || range.contains($0) ? nil : "expected \"0\" or a size \(within(range, $0))" }
    }

    /// 0 needs no unit and therefore no quotes.
    private static var anySize: ValueType {
        ValueType(
            "size", expected: #"a size such as "64MiB""#,
            read: { $0 == .integer(0) ? ByteCount(bytes: 0) : $0.text.flatMap { ByteCount(text: $0) } },
            raw: { .string($0.description) })
    }
}

extension ValueType where Value == Duration {
    static func duration(_ range: ClosedRange<Duration> = .milliseconds(1) ... .seconds(86_400)) -> ValueType {
        ValueType(
            "duration", expected: #"a duration such as "30s""#,
            read: { $0 == .integer(0) ? .zero : $0.text.flatMap { Duration(text: $0) } },
            raw: { .string($0.text) }
        ).checked {
            guard !range.contains($0) else { return nil }
            let (least, most) = (range.lowerBound.text, range.upperBound.text)
            return #"expected a duration from "\#(least)" to "\#(most)", got "\#($0.text)""#
        }
    }
}

extension ValueType where Value == Int {
    static func integer(_ range: ClosedRange<Int>) -> ValueType {
        ValueType(
            "integer", expected: "a whole number from \(range.lowerBound) to \(range.upperBound)",
            read: { raw in
                guard let number = raw.wholeNumber, range.contains(number) else { return nil }
                return number
            },
            raw: { .integer($0) })
    }
}

extension ValueType where Value == Double {
    /// US dollars per million tokens.
    static var price: ValueType {
        ValueType(
            "price", expected: "a price in US dollars per million tokens such as 0.15",
            read: { raw in
                let number: Double? =
                    switch raw {
                    case .number(let number): number
                    case .integer(let number): Double(number)
                    case .word(let text): Double(text)
                    default: nil
                    }
                guard let number, number >= 0, number <= 1_000_000 else { return nil }
                return number
            },
            raw: { .number($0) })
    }
}

extension ValueType where Value == Bool {
    static var bool: ValueType {
        ValueType(
            "true or false", expected: "true or false",
            read: { raw in
                switch raw {
                case .bool(let value): value
                case .word("true"): true
                case .word("false"): false
                default: nil
                }
            },
            raw: { .bool($0) })
    }
}

extension ValueType where Value: CaseIterable & RawRepresentable, Value.RawValue == String {
    /// One of an enum's names.
    static var choice: ValueType {
        let names = Value.allCases.map { "\"\($0.rawValue)\"" }
        let list = names.dropLast().joined(separator: ", ") + " or " + (names.last ?? "")
        return ValueType(
            list, expected: list, read: { $0.text.flatMap { Value(rawValue: $0) } }, raw: { .string($0.rawValue) })
    }
}

extension ValueType where Value == String {
    /// Text that satisfies `accepts`.
    static func text(
        _ name: String, expected: String, where accepts: @escaping @Sendable (String) -> Bool
    ) -> ValueType {
        ValueType(
            name, expected: expected,
            read: { raw in raw.text.flatMap { accepts($0) ? $0 : nil } },
            raw: { .string($0) })
    }

    /// A file that must be there.
    static var readableFile: ValueType {
        text("path", expected: #"a path such as "/etc/ssl/certs/corporate.pem""#, where: { !$0.isEmpty })
            .checked { path in
                do throws(SystemFailure) {
                    _ = try SmallFile.read(path, atMost: .mebibytes(16))
                    return nil
                } catch {
                    return error.message
                }
            }
    }
}

extension RawValue {
    fileprivate var wholeNumber: Int? {
        switch self {
        case .integer(let number): number
        case .word(let text): Int(text)
        default: nil
        }
    }
}

private func within(_ range: ClosedRange<ByteCount>, _ size: ByteCount) -> String {
    #"from "\#(range.lowerBound)" to "\#(range.upperBound)", got "\#(size)""#
}
