import Base

/// The Responses format: its last event holds the whole object, so that only the other way takes work.
enum ResponseEvents {
    static func document(_ stream: EventStream) throws(ShapeFailure) -> JSONTree {
        var final: JSONTree?
        var items: [Int: JSONTree] = [:]
        _ = try stream.forEachObject { event throws(ShapeFailure) in
            switch event["type"]?.string {
            case "error", "response.failed": throw .providerError
            case "response.completed", "response.incomplete": final = event["response"]?.opened
            case "response.output_item.done":
                guard items.count < ShapeLimits.partsMax else { throw .tooLarge }
                if let index = event["output_index"]?.count, let item = event["item"] { items[index] = item }
            default: break
            }
        }
        guard var response = final, case .object = response else { throw .unfinished }
        // Some leave the output out of the last event: its finished items are the same.
        if !items.isEmpty, response["output"]?.isBlank ?? true {
            try response.set("output", .array(items.sorted { $0.key < $1.key }.map(\.value)))
        }
        return response
    }

    static func events(_ document: JSONTree) throws(ShapeFailure) -> [UInt8] {
        guard let output = document["output"]?.elements, output.count <= ShapeLimits.partsMax else {
            throw .unknownForm
        }
        let ending: StaticString
        switch document["status"]?.string {
        case "completed": ending = "response.completed"
        case "incomplete": ending = "response.incomplete"
        default: throw .unknownForm
        }
        var begun = document
        let blanks: [(StaticString, JSONTree)] = [
            ("status", "in_progress"), ("output", []), ("completed_at", .null), ("usage", .null),
            ("error", .null), ("incomplete_details", .null),
        ]
        for (key, blank) in blanks where begun[key] != nil { try begun.set(key, blank) }
        var writer = NumberedEvents()
        writer.add("response.created", ["response": begun])
        writer.add("response.in_progress", ["response": begun])
        for (index, item) in output.enumerated() { try ItemEvents.write(item.opened, at: index, to: &writer) }
        writer.add(ending, ["response": document])
        return writer.bytes
    }
}

/// Events that count themselves.
private struct NumberedEvents {
    private var writer = EventWriter()
    private var number = 0

    var bytes: [UInt8] { writer.bytes }

    mutating func add(_ type: StaticString, _ members: JSONTree) {
        let head: JSONTree = ["type": JSONTree(stringLiteral: type), "sequence_number": JSONTree(number)]
        writer.event(head + members, name: type)
        number += 1
    }

    /// A text that grows, and then the whole of it as the member `key`.
    mutating func addText(
        _ delta: StaticString, _ done: StaticString, _ place: JSONTree, _ key: StaticString, _ text: JSONTree,
        logprobs: JSONTree? = nil, doneOnly: JSONTree = [:]
    ) {
        var rest = logprobs
        for piece in EventWriter.pieces(text.content ?? []) {
            add(delta, place + ["delta": piece] + (rest.map { ["logprobs": $0] } ?? [:]))
            if rest != nil { rest = [] }
        }
        let whole = JSONTree.object([.init(key: .init(key), value: text)])
        add(done, place + doneOnly + whole + (logprobs.map { ["logprobs": $0] } ?? [:]))
    }
}

/// The events of one output item.
private enum ItemEvents {
    static func write(_ item: JSONTree, at index: Int, to events: inout NumberedEvents) throws(ShapeFailure) {
        guard case .object = item else { throw .unknownForm }
        let output: JSONTree = ["output_index": JSONTree(index)]
        let place = ["item_id": item["id"] ?? ""] + output
        var begun = item
        if item["status"] != nil { try begun.set("status", "in_progress") }
        switch item["type"]?.string {
        case "message":
            try begun.set("content", [])
            events.add("response.output_item.added", output + ["item": begun])
            try writeParts(item["content"], place, to: &events)
        case "reasoning":
            for key: StaticString in ["summary", "content"] where item[key]?.elements != nil { try begun.set(key, []) }
            events.add("response.output_item.added", output + ["item": begun])
            try writeSummary(item["summary"], place, to: &events)
            try writeParts(item["content"], place, to: &events)
        case "function_call":
            try begun.set("arguments", "")
            events.add("response.output_item.added", output + ["item": begun])
            events.addText(
                "response.function_call_arguments.delta", "response.function_call_arguments.done", place, "arguments",
                item["arguments"] ?? "", doneOnly: item.filtered { $0.holds("name") })
        case "custom_tool_call":
            try begun.set("input", "")
            events.add("response.output_item.added", output + ["item": begun])
            events.addText(
                "response.custom_tool_call_input.delta", "response.custom_tool_call_input.done", place, "input",
                item["input"] ?? "")
        default: events.add("response.output_item.added", output + ["item": item])
        }
        events.add("response.output_item.done", output + ["item": item])
    }

    private static func writeParts(
        _ parts: JSONTree?, _ item: JSONTree, to events: inout NumberedEvents
    ) throws(ShapeFailure) {
        for (index, raw) in (parts?.elements ?? []).enumerated() {
            guard index < ShapeLimits.partsMax else { throw .tooLarge }
            let place = item + ["content_index": JSONTree(index)]
            let part = raw.opened
            var begun = part
            for key: StaticString in ["text", "refusal"] where part[key]?.content != nil { try begun.set(key, "") }
            for key: StaticString in ["annotations", "logprobs"] where part[key]?.elements != nil {
                try begun.set(key, [])
            }
            events.add("response.content_part.added", place + ["part": begun])
            switch part["type"]?.string {
            case "output_text": writeText(part, place, to: &events)
            case "refusal":
                events.addText(
                    "response.refusal.delta", "response.refusal.done", place, "refusal", part["refusal"] ?? "")
            case "reasoning_text":
                events.addText(
                    "response.reasoning_text.delta", "response.reasoning_text.done", place, "text", part["text"] ?? "")
            default: break
            }
            events.add("response.content_part.done", place + ["part": part])
        }
    }

    private static func writeText(_ part: JSONTree, _ place: JSONTree, to events: inout NumberedEvents) {
        for (index, annotation) in (part["annotations"]?.elements ?? []).enumerated() {
            events.add(
                "response.output_text.annotation.added",
                place + ["annotation_index": JSONTree(index), "annotation": annotation])
        }
        let logprobs = part["logprobs"].flatMap { $0.elements == nil ? nil : $0 } ?? []
        events.addText(
            "response.output_text.delta", "response.output_text.done", place, "text", part["text"] ?? "",
            logprobs: logprobs)
    }

    private static func writeSummary(
        _ summary: JSONTree?, _ item: JSONTree, to events: inout NumberedEvents
    ) throws(ShapeFailure) {
        for (index, part) in (summary?.elements ?? []).enumerated() {
            guard index < ShapeLimits.partsMax else { throw .tooLarge }
            let place = item + ["summary_index": JSONTree(index)]
            var begun = part
            try begun.set("text", "")
            events.add("response.reasoning_summary_part.added", place + ["part": begun])
            events.addText(
                "response.reasoning_summary_text.delta", "response.reasoning_summary_text.done", place, "text",
                part["text"] ?? "")
            events.add("response.reasoning_summary_part.done", place + ["part": part])
        }
    }
}
