import { assertEquals } from "@std/assert";
import {
  HEADER_NAME_PATTERN,
  HOST_MATCH_PATTERN,
  isWildcardPath,
  LABEL_PATTERN,
  METHOD_PATTERN,
  parametersOf,
  parseClaimHeader,
  parseOrigin,
  parsePathPattern,
  parsePlainPath,
  SERVICE_NAME_PATTERN,
} from "./patterns.ts";

function accepted(pattern: RegExp, texts: readonly string[]): string[] {
  return texts.filter((text) => pattern.test(text));
}

function pathProblem(text: string): string {
  const parsed = parsePathPattern(text);
  return parsed.ok ? "" : parsed.problem;
}

Deno.test("SERVICE_NAME_PATTERN is a DNS label in lower case", () => {
  const good = ["a", "user-service", "a1", "1a", "a".repeat(63)];
  assertEquals(accepted(SERVICE_NAME_PATTERN, good), good);
  const bad = ["", "User", "-a", "a-", "a_b", "a.b", "a".repeat(64), "a b", "ä"];
  assertEquals(accepted(SERVICE_NAME_PATTERN, bad), []);
});

Deno.test("LABEL_PATTERN cannot leave a directory", () => {
  assertEquals(accepted(LABEL_PATTERN, ["v1", "user-service-15006", "1.2.3", "A_b"]).length, 4);
  assertEquals(accepted(LABEL_PATTERN, ["..", ".hidden", "a/b", "a\\b", "", "a b", "a\n"]), []);
});

Deno.test("HEADER_NAME_PATTERN and METHOD_PATTERN are RFC 9110 tokens", () => {
  assertEquals(accepted(HEADER_NAME_PATTERN, ["x-user-id", "X-Y", "!#$%&'*+.^_`|~09"]).length, 3);
  assertEquals(accepted(HEADER_NAME_PATTERN, ["", "a b", "a:", "a\r\n", "ä", "a/b", "(a)"]), []);
  assertEquals(accepted(METHOD_PATTERN, ["GET", "M-SEARCH"]).length, 2);
  assertEquals(accepted(METHOD_PATTERN, ["get", "Get", "G ET", ""]), []);
});

Deno.test("HOST_MATCH_PATTERN takes a name or a wildcard of its subdomains", () => {
  assertEquals(accepted(HOST_MATCH_PATTERN, ["api.example.com", "*.example.com", "a"]).length, 3);
  const bad = ["*", "a.*.com", "*a.com", "API.example.com", "a:80", "a..b", ".a", "a/"];
  assertEquals(accepted(HOST_MATCH_PATTERN, bad), []);
});

Deno.test("parseOrigin takes exactly what a browser sends", () => {
  for (
    const text of ["*", "https://a.example.com", "http://localhost:3000", "https://[::1]:8443"]
  ) {
    assertEquals(parseOrigin(text), { ok: true, value: text });
  }
  const bad = ["https://a/", "https://a/x", "a.example.com", "https://A.example.com", "null"]
    .concat(["https://a:443", "ftp://a", "https://u@a", "https://a?b", "https://", ""]);
  assertEquals(bad.filter((text) => parseOrigin(text).ok), []);
});

Deno.test("parseClaimHeader lowers the name and refuses headers of the protocol", () => {
  assertEquals(parseClaimHeader("X-User-Id"), { ok: true, value: "x-user-id" });
  const framing = ["Content-Length", "host", "transfer-encoding", "Authorization", "a b", ""];
  assertEquals(framing.filter((text) => parseClaimHeader(text).ok), []);
});

Deno.test("parsePathPattern takes exact paths, a last * and {parameters}", () => {
  const good = ["/", "/*", "/a", "/a/", "/api/*", "/users/{id}/orders", "/u/{a}/{b_2}/*"]
    .concat(["/a-b_c.d~e", "/a%20b", "/a:b@c,d;e=f", "/.well-known/x", "/..."]);
  assertEquals(good.filter((text) => pathProblem(text) !== ""), []);
});

Deno.test("parsePathPattern says what is wrong with each bad path", () => {
  const cases: [string, RegExp][] = [
    ["", /does not start with \//],
    ["api", /does not start with \//],
    ["*", /does not start with \//],
    ["/a?b", /query or fragment/],
    ["/a#b", /query or fragment/],
    ["/*/a", /\* in the middle/],
    ["/a*", /\* in the middle/],
    ["/a/**", /\* in the middle/],
    ["/a//b", /empty segment/],
    ["//", /empty segment/],
    ["/a/../b", /dot segment/],
    ["/a/.", /dot segment/],
    ["/a/%2e%2E/b", /dot segment/],
    ["/a/.%2e", /dot segment/],
    ["/{a}/{a}", /same \{parameter\} twice/],
    ["/x{a}", /character that paths do not have/],
    ["/{}", /character that paths do not have/],
    ["/{a", /character that paths do not have/],
    ["/a b", /character that paths do not have/],
    ["/ä", /character that paths do not have/],
    ["/%zz", /character that paths do not have/],
    ["/a\\b", /character that paths do not have/],
  ];
  for (const [text, problem] of cases) assertEquals(problem.test(pathProblem(text)), true, text);
});

Deno.test("parsePlainPath refuses wildcards and parameters", () => {
  assertEquals(parsePlainPath("/health").ok, true);
  for (const text of ["/*", "/a/{id}", "a", "/a?b"]) {
    assertEquals(parsePlainPath(text).ok, false, text);
  }
});

Deno.test("isWildcardPath and parametersOf read a pattern's parts", () => {
  assertEquals([isWildcardPath("/a/*"), isWildcardPath("/*"), isWildcardPath("/a")], [
    true,
    true,
    false,
  ]);
  assertEquals(parametersOf("/users/{id}/orders/{order}/*"), ["id", "order"]);
});
