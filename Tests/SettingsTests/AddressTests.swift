import Settings
import Testing

@Test(
    "listen addresses are read and written the same",
    arguments: [
        ("127.0.0.1:7411", .tcp(host: "127.0.0.1", port: 7411)), ("localhost:0", .tcp(host: "localhost", port: 0)),
        ("[::1]:80", .tcp(host: "::1", port: 80)), ("0.0.0.0:65535", .tcp(host: "0.0.0.0", port: 65_535)),
        ("[::]:1", .tcp(host: "::", port: 1)), ("weir.internal:8080", .tcp(host: "weir.internal", port: 8_080)),
        ("unix:/run/weir.sock", .unix(path: "/run/weir.sock")),
    ] as [(String, ListenAddress)])
func listenAddresses(text: String, expected: ListenAddress) {
    #expect(ListenAddress(text: text) == expected)
    #expect(expected.description == text)
}

@Test(
    "what is no listen address is refused",
    arguments: [
        "", "7411", ":7411", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:+1", "::1:80",
        "[::1]", "[::1]80", "[nonsense]:80", "*:80", "a b:80", "http://a:80", "unix:", "unix:/a\u{0}b", "127.0.0.1:７",
        "unix:/" + String(repeating: "x", count: 107), String(repeating: "a", count: 400) + ":80",
    ])
func badListenAddresses(text: String) {
    #expect(ListenAddress(text: text) == nil)
}

@Test(
    "loopback is known in all its forms",
    arguments: [
        ("127.0.0.1:1", true), ("127.255.255.254:1", true), ("[::1]:1", true), ("[0:0:0:0:0:0:0:1]:1", true),
        ("[::ffff:127.0.0.1]:1", true), ("LocalHost:1", true), ("unix:/x", true), ("0.0.0.0:1", false),
        ("[::]:1", false),
        ("128.0.0.1:1", false), ("10.0.0.1:1", false), ("localhost.example:1", false), ("[::ffff:10.0.0.1]:1", false),
        ("127.example:1", false),
    ])
func loopback(text: String, expected: Bool) {
    #expect(ListenAddress(text: text)?.isLoopback == expected)
}
