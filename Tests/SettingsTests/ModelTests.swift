import Settings
import Testing

private let providers = "[providers.openai]\n[providers.backup]\ndialect = \"openai\"\nbase-url = \"http://h/v1\"\n"

@Test("targets are names or tables")
func targets() throws {
    let models = try load(
        providers + """
            [models."gpt-4o-mini"]
            targets = ["openai", { provider = "backup", model = "gpt-4.1-mini", weight = 3, priority = 2 }]
            price-input = 0.15
            price-output = 1
            [models.alias]
            """
    ).settings.models
    #expect(models.map(\.name) == ["alias", "gpt-4o-mini"], "sorted by name")
    #expect(models[0].targets.isEmpty)
    #expect(
        models[1].targets == [
            Settings.Target(provider: "openai"),
            Settings.Target(provider: "backup", model: "gpt-4.1-mini", weight: 3, priority: 2),
        ])
    #expect(models[1].priceInput == 0.15 && models[1].priceOutput == 1 && models[1].priceCachedInput == nil)
}

@Test("a target must name a provider that exists")
func unknownTarget() {
    #expect(
        problems(providers + "[models.m]\ntargets = [\"opnai\"]\n")
            == [#"appliance.conf:6: models.m.targets: no provider "opnai"; did you mean "openai"?"#])
    #expect(
        problems(providers + "[models.m]\ntargets = [{ provider = \"zzzzzzzzz\" }]\n")
            == [#"appliance.conf:6: models.m.targets: no provider "zzzzzzzzz"; there are backup, openai"#])
    #expect(
        problems("[models.m]\ntargets = [\"openai\"]\n")
            == [#"appliance.conf:2: models.m.targets: no provider "openai": there is none at all"#])
}

@Test(
    "a target's parts are checked",
    arguments: [
        (#"[{ model = "x" }]"#, #"a target needs provider = "…""#),
        (
            #"[{ provider = "openai", weight = 0 }]"#,
            "weight of a target: expected a whole number from 1 to 1000, got 0"
        ),
        (
            #"[{ provider = "openai", priority = "1" }]"#,
            #"priority of a target: expected a whole number from 1 to 100, got "1""#
        ),
        (
            #"[{ provider = "openai", modell = "x" }]"#,
            "modell of a target: no such name; it takes provider, model, weight, priority"
        ),
        (#"[{ provider = "openai", model = "" }]"#, #"model of a target: expected a model's name, got """#),
        ("[7]", #"expected a provider's name or { provider = "…", model = "…" }, got 7"#),
        (#""openai""#, #"expected a list such as ["…", "…"]"#),
    ])
func targetProblems(value: String, message: String) {
    let file = providers + "[models.m]\ntargets = \(value)\n"
    #expect(problems(file) == ["appliance.conf:6: models.m.targets: \(message)"])
}

@Test("passthrough must name a provider that exists, except by default")
func passthrough() throws {
    #expect(try load().settings.gateway.passthrough == "openai")
    #expect(try load("[gateway]\npassthrough = \"openai\"\n").settings.gateway.passthrough == "openai")
    #expect(
        problems(providers + "[gateway]\npassthrough = \"opnai\"\n")
            == [#"appliance.conf:6: gateway.passthrough: no provider "opnai"; did you mean "openai"?"#])
    #expect(
        problems(nil, environment: ["WEIR_GATEWAY_PASSTHROUGH": "backup"])
            == [#"WEIR_GATEWAY_PASSTHROUGH: no provider "backup": there is none at all"#])
    #expect(try load("[gateway]\npassthrough = \"\"\n").settings.gateway.passthrough == nil)
    #expect(try load(providers + "[gateway]\npassthrough = \"backup\"\n").settings.gateway.passthrough == "backup")
}
