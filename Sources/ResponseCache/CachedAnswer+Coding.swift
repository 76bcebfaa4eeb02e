import Base
package import NIOCore

/// The form of an answer in L2 and L3. Little-endian, version first:
///
///     u8 version=1 · u8 family · u8 shape · u8 life · i64 created, freshUntil, usableUntil (microseconds since 1970)
///     i64 upstreamMicroseconds, inputTokens, outputTokens, costNanodollars
///     u32+bytes each: tenant, namespace, model, provider, contentType; u16 count then u32+bytes: tags, collections
///     u32+bytes: request, body
///
/// A checksum belongs to the layer that keeps the bytes.
extension CachedAnswer {
    private static let version: UInt8 = 1

    package func encode(into buffer: inout ByteBuffer) {
        buffer.reserveCapacity(minimumWritableBytes: weight)
        buffer.writeMultipleIntegers(Self.version, facts.family.rawValue, facts.shape.rawValue, facts.life.rawValue)
        for number in [
            facts.created.microseconds, facts.freshUntil.microseconds, facts.usableUntil.microseconds,
            facts.upstreamMicroseconds, Int64(facts.inputTokens), Int64(facts.outputTokens), facts.costNanodollars,
        ] {
            buffer.writeInteger(number, endianness: .little)
        }
        for text in [facts.tenant, facts.namespace, facts.model, facts.provider, facts.contentType] {
            buffer.write(text: text)
        }
        for list in [facts.tags, facts.collections] {
            precondition(list.count <= Int(UInt16.max), "an answer has too many tags")
            buffer.writeInteger(UInt16(list.count), endianness: .little)
            for text in list { buffer.write(text: text) }
        }
        for bytes in [request, body] {
            buffer.writeInteger(UInt32(bytes.readableBytes), endianness: .little)
            buffer.writeImmutableBuffer(bytes)
        }
    }

    /// The facts alone, without touching the bodies. Nil for what this version did not write.
    package static func decodeFacts(_ buffer: inout ByteBuffer) -> AnswerFacts? {
        guard buffer.readInteger(as: UInt8.self) == version,
            let family = buffer.readInteger(as: UInt8.self).flatMap(AnswerFamily.init(rawValue:)),
            let shape = buffer.readInteger(as: UInt8.self).flatMap(AnswerShape.init(rawValue:)),
            let life = buffer.readInteger(as: UInt8.self).flatMap(LifeClass.init(rawValue:)),
            let created = buffer.readNumber(), let fresh = buffer.readNumber(), let usable = buffer.readNumber(),
            let upstream = buffer.readNumber(), let input = buffer.readNumber(), let output = buffer.readNumber(),
            let cost = buffer.readNumber(), let tenant = buffer.readText(), let namespace = buffer.readText(),
            let model = buffer.readText(), let provider = buffer.readText(), let contentType = buffer.readText(),
            let tags = buffer.readTexts(), let collections = buffer.readTexts()
        else { return nil }
        return AnswerFacts(
            family: family, shape: shape, life: life, tenant: tenant, namespace: namespace, model: model,
            provider: provider, tags: tags, collections: collections, contentType: contentType,
            created: UnixTime(microseconds: created), freshUntil: UnixTime(microseconds: fresh),
            usableUntil: UnixTime(microseconds: usable), upstreamMicroseconds: upstream, inputTokens: Int(input),
            outputTokens: Int(output), costNanodollars: cost)
    }

    /// Nil for bytes that this version did not write, or that are cut short. Bodies share the buffer's storage.
    package init?(decoding buffer: ByteBuffer) {
        var buffer = buffer
        guard let facts = Self.decodeFacts(&buffer), let request = buffer.readBytes(),
            let body = buffer.readBytes(), buffer.readableBytes == 0
        else { return nil }
        self.init(request: request, body: body, facts: facts)
    }
}

extension ByteBuffer {
    fileprivate mutating func write(text: String) {
        writeInteger(UInt32(text.utf8.count), endianness: .little)
        writeString(text)
    }

    fileprivate mutating func readNumber() -> Int64? { readInteger(endianness: .little) }

    fileprivate mutating func readText() -> String? {
        guard let length = readInteger(endianness: .little, as: UInt32.self) else { return nil }
        return readString(length: Int(length))
    }

    fileprivate mutating func readTexts() -> [String]? {
        guard let count = readInteger(endianness: .little, as: UInt16.self) else { return nil }
        var texts: [String] = []
        for _ in 0..<count {
            guard let text = readText() else { return nil }
            texts.append(text)
        }
        return texts
    }

    fileprivate mutating func readBytes() -> ByteBuffer? {
        guard let length = readInteger(endianness: .little, as: UInt32.self) else { return nil }
        return readSlice(length: Int(length))
    }
}
