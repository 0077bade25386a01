import { assertEquals, assertThrows } from "@std/assert";
import { type FakeExchange, fakeExchange } from "../../tests/support/fake_exchange.ts";
import { ProxyError } from "../errors.ts";
import { HttpsRedirect } from "./redirect.ts";

function redirect(about: FakeExchange, port = 443) {
  return new HttpsRedirect(port).route(fakeExchange(about));
}

function locationOf(about: FakeExchange, port?: number): string | undefined {
  return redirect(about, port).headers.get("location");
}

function refusal(about: FakeExchange): string {
  return assertThrows(() => redirect(about), ProxyError).kind;
}

Deno.test("HttpsRedirect answers every method with 308, an empty body and the same path and query", () => {
  for (const method of ["GET", "HEAD", "POST", "DELETE", "OPTIONS"]) {
    const { status, headers, body } = redirect({ method, target: "/a/b?x=%2F&y" });
    assertEquals(status, 308);
    assertEquals(headers.get("location"), "https://edge.example/a/b?x=%2F&y");
    assertEquals([headers.get("content-length"), body.length], ["0", 0]);
  }
});

Deno.test("HttpsRedirect names the port that it is told, unless https means it anyway", () => {
  const about = { authority: "Shop.example.:8080", target: "/" };
  assertEquals(locationOf(about), "https://shop.example/");
  assertEquals(locationOf(about, 8443), "https://shop.example:8443/");
});

Deno.test("HttpsRedirect takes names and addresses for hosts", () => {
  const cases = [
    ["10.0.0.1", "10.0.0.1"],
    ["[::1]:8080", "[::1]"],
    ["[2001:DB8::1]", "[2001:db8::1]"],
    ["a-b.c_d", "a-b.c_d"],
  ] as const;
  for (const [authority, host] of cases) {
    assertEquals(locationOf({ authority }, 8443), `https://${host}:8443/`, authority);
  }
});

Deno.test("HttpsRedirect sends nobody to a host that is none, or without one", () => {
  const long = `${"a".repeat(254)}`;
  const others = [
    "",
    "evil.example@good.example",
    "a b",
    "a%2eb",
    "a!b",
    "[::1",
    "[x]",
    "..",
    "a..b",
    ".a",
    long,
  ];
  for (const authority of [...others, "a/b", "a\\b", "a\r\nb", "é.example"]) {
    assertEquals(refusal({ authority, headers: { host: "x" } }), "bad-request", authority);
  }
});

Deno.test("HttpsRedirect leads to no other host, whatever the path looks like", () => {
  for (const target of ["//evil.example/", "/\\evil.example", "/@evil.example", "/.evil.example"]) {
    const location = locationOf({ target });
    assertEquals(location, `https://edge.example${target}`);
    assertEquals(new URL(location!).host, "edge.example");
  }
  for (const target of ["evil.example", "@evil.example/", ""]) {
    assertEquals(refusal({ target }), "bad-request", target);
  }
});

Deno.test("HttpsRedirect has a place for OPTIONS * and none for CONNECT", () => {
  const asterisk = { method: "OPTIONS", form: "asterisk", target: "*" } as const;
  assertEquals(locationOf(asterisk), "https://edge.example/");
  const connect = { method: "CONNECT", form: "authority", target: "edge.example:443" } as const;
  assertEquals(refusal(connect), "not-implemented");
});
