import Base
import Ledger
import NIOCore
import Testing

@testable import Gateway

func buffer(_ text: String) -> ByteBuffer { ByteBuffer(string: text) }

func joined(_ pieces: [ByteBuffer]) -> String { pieces.map { String(buffer: $0) }.joined() }

func withBytes<T>(_ text: String, _ body: (UnsafeRawBufferPointer) -> T) -> T {
    Array(text.utf8).withUnsafeBytes(body)
}

/// The top-level members of a JSON object as they are written, by name; fails the test when it is none.
func members(_ text: String) throws -> [String: String] {
    var found: [String: String] = [:]
    try Array(text.utf8).withUnsafeBytes { bytes in
        var scanner = JSONScanner(bytes)
        try scanner.scanObject { member in
            let key = String(decoding: bytes[member.key], as: UTF8.self)
            found[key] = String(decoding: bytes[member.value], as: UTF8.self)
        }
    }
    return found
}

/// The error that the work throws; nil when it succeeds.
func gatewayError<T>(_ work: () throws(GatewayError) -> T) -> GatewayError? {
    do throws(GatewayError) {
        _ = try work()
        return nil
    } catch {
        return error
    }
}

/// A seed for one random test, printed so that a failure can be repeated with WEIR_TEST_SEED.
func testSeed(_ test: String = #function) -> UInt64 {
    let seed = environmentVariable("WEIR_TEST_SEED").flatMap { UInt64($0) } ?? UInt64.random(in: 0...UInt64.max)
    print("\(test): seed \(seed)")
    return seed
}

/// The text cut at random places.
func cut(_ text: String, _ random: inout SeededRandom) -> [ByteBuffer] {
    var rest = Array(text.utf8)[...]
    var pieces: [ByteBuffer] = []
    while !rest.isEmpty {
        let length = Int.random(in: 1...min(rest.count, 40), using: &random)
        pieces.append(ByteBuffer(bytes: rest.prefix(length)))
        rest = rest.dropFirst(length)
    }
    return pieces
}
