import ResponseCache

/// A request that one rule sends past the cache, and one beside it that it does not.
struct RuleCase: Sendable {
    var reason: BypassReason
    var family = AnswerFamily.chat
    var bypassed: [String]
    var kept: [String] = []

    static func content(_ part: String) -> String { #"{"messages":[{"role":"user","content":[\#(part)]}]}"# }

    static let all: [RuleCase] = [
        RuleCase(
            reason: .background, family: .responses, bypassed: [#"{"store":false,"background":true}"#],
            kept: [#"{"store":false,"background":false}"#, #"{"store":false,"background":null}"#]),
        RuleCase(
            reason: .stored, family: .responses, bypassed: ["{}", #"{"store":true}"#, #"{"store":null}"#],
            kept: [#"{"store":false}"#]),
        RuleCase(reason: .stored, bypassed: [#"{"store":true}"#], kept: ["{}", #"{"store":false}"#]),
        RuleCase(
            reason: .serverState, family: .responses,
            bypassed: [
                #"{"store":false,"previous_response_id":"r"}"#, #"{"store":false,"conversation":{"id":"c"}}"#,
                #"{"store":false,"input":[{"type":"item_reference","id":"i"}]}"#,
            ],
            kept: [#"{"store":false,"previous_response_id":null,"conversation":null}"#]),
        RuleCase(
            reason: .serverState, family: .messages, bypassed: [#"{"container":"c"}"#], kept: [#"{"container":null}"#]),
        RuleCase(
            reason: .serverState, bypassed: [#"{"messages":[{"role":"assistant","audio":{"id":"a"}}]}"#],
            kept: [#"{"messages":[{"role":"assistant","audio":null}]}"#]),
        RuleCase(
            reason: .storedPrompt, family: .responses, bypassed: [#"{"store":false,"prompt":{"id":"p"}}"#],
            kept: [#"{"store":false,"prompt":null}"#]),
        RuleCase(
            reason: .serverTool, family: .responses,
            bypassed: [
                "web_search", "web_search_preview", "code_interpreter", "file_search", "computer_use_preview", "mcp",
                "image_generation", "invented_tomorrow",
            ].map { #"{"store":false,"tools":[{"type":"function","name":"f"},{"type":"\#($0)"}]}"# },
            kept: [#"{"store":false,"tools":[{"type":"function","parameters":{"type":"object"}},{"type":"custom"}]}"#]),
        RuleCase(
            reason: .serverTool, family: .messages,
            bypassed: ["web_search_20250305", "web_fetch_20250910", "code_execution_20250522", "computer_20250124"]
                .map { #"{"tools":[{"type":"\#($0)","name":"x"}]}"# } + [#"{"mcp_servers":[{"type":"url"}]}"#],
            kept: [
                #"{"tools":[{"type":"text_editor_20250728"},{"type":"bash_20250124"},{"name":"x","input_schema":{"type":"object"}}]}"#,
                #"{"mcp_servers":[]}"#,
            ]),
        RuleCase(
            reason: .serverTool, bypassed: [#"{"web_search_options":{"a":1}}"#], kept: [#"{"web_search_options":null}"#]
        ),
        RuleCase(
            reason: .fileID,
            bypassed: [content(#"{"type":"file","file":{"file_id":"f"}}"#)],
            kept: [
                content(#"{"type":"file","file":{"file_data":"data:application/pdf;base64,AA","filename":"f"}}"#),
                #"{"tools":[{"type":"function","function":{"file_id":"f"}}]}"#,
            ]),
        RuleCase(
            reason: .fileID, family: .responses,
            bypassed: [#"{"store":false,"input":[{"role":"user","content":[{"type":"input_file","file_id":"f"}]}]}"#]),
        RuleCase(
            reason: .fileID, family: .messages,
            bypassed: [
                content(#"{"type":"document","source":{"type":"file","file_id":"f"}}"#),
                content(#"{"type":"document","source":{"type":"file"}}"#),
                content(#"{"type":"container_upload","file_id":"f"}"#),
                content(#"{"type":"tool_result","content":[{"type":"image","source":{"type":"file","file_id":"f"}}]}"#),
            ],
            kept: [
                content(#"{"type":"image","source":{"type":"base64","data":"AA"}}"#),
                content(#"{"type":"tool_use","input":{"file_id":"f","image_url":"http://x","source":{"type":"url"}}}"#),
            ]),
        RuleCase(
            reason: .remoteURL,
            bypassed: [
                content(#"{"type":"image_url","image_url":{"url":"https://x/y.png"}}"#),
                content(#"{"image_url":{"url":"gs://x"}}"#),
            ],
            kept: [
                content(#"{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}}"#),
                content(#"{"type":"text","text":"http://x"}"#),
            ]),
        RuleCase(
            reason: .remoteURL, family: .responses,
            bypassed: [
                #"{"store":false,"input":[{"role":"user","content":[{"type":"input_image","image_url":"HTTP://x"}]}]}"#,
                #"{"store":false,"input":[{"role":"user","content":[{"type":"input_file","file_url":"http://x"}]}]}"#,
            ],
            kept: [
                #"{"store":false,"input":[{"role":"user","content":[{"type":"input_image","image_url":"data:x"}]}]}"#
            ]),
        RuleCase(
            reason: .remoteURL, family: .messages,
            bypassed: [content(#"{"type":"image","source":{"type":"url","url":"https://x"}}"#)]),
        RuleCase(
            reason: .audioOutput, bypassed: [#"{"modalities":["text","audio"]}"#, #"{"audio":{"voice":"v"}}"#],
            kept: [#"{"modalities":["text"],"audio":null}"#]),
        RuleCase(
            reason: .randomness, bypassed: [#"{"temperature":0.7}"#, #"{"temperature":1}"#, #"{"temperature":"0"}"#],
            kept: [
                #"{"temperature":0}"#, #"{"temperature":-0.0e3}"#, #"{"temperature":null}"#, "{}",
                #"{"temperature":1,"seed":7}"#,
                #"{"top_p":0.5}"#,
            ]),
        RuleCase(reason: .severalChoices, bypassed: [#"{"n":2}"#], kept: [#"{"n":1}"#, #"{"n":1.0}"#, #"{"n":null}"#]),
    ]
}
