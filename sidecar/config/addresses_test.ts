import { assertEquals } from "@std/assert";
import {
  isLoopback,
  isSameListener,
  isWildcard,
  parseBindAddress,
  parseCidr,
  parseDialAddress,
  parseHost,
} from "./addresses.ts";
import { IpBlocks } from "../lib/ip_blocks.ts";
import type { Address } from "./bootstrap.ts";

function bind(text: string): Address {
  const parsed = parseBindAddress(text);
  if (!parsed.ok) throw new Error(`${text}: ${parsed.problem}`);
  return parsed.value;
}

Deno.test("parseBindAddress reads IPv4, bracketed IPv6 and names", () => {
  assertEquals(bind("127.0.0.1:8001"), { host: "127.0.0.1", port: 8001 });
  assertEquals(bind("[::1]:80"), { host: "::1", port: 80 });
  assertEquals(bind("[FD00::A]:80"), { host: "fd00::a", port: 80 });
  assertEquals(bind("localhost:0"), { host: "localhost", port: 0 });
  assertEquals(bind("Pod-1.svc.Local:65535"), { host: "pod-1.svc.local", port: 65535 });
});

Deno.test("parseBindAddress refuses half addresses and malformed hosts", () => {
  const bad = ["", ":80", "8000", "127.0.0.1", "127.0.0.1:", "::1:80", "[::1]", "[127.0.0.1]:80"]
    .concat(["256.0.0.1:80", "1.2.3:80", "01.2.3.4:80", "a b:80", "a_b:80", "-a:80", "a.:80"])
    .concat(["host:08", "host:+8", "host:8x", "http://host:80", "[::1]x:80", "[:::1]:80"]);
  const accepted = bad.filter((text) => parseBindAddress(text).ok);
  assertEquals(accepted, []);
});

Deno.test("parseBindAddress and parseDialAddress bound the port", () => {
  const outOfRange = { ok: false, problem: "port out of range, expected 0 to 65535" } as const;
  assertEquals(parseBindAddress("127.0.0.1:65536"), outOfRange);
  assertEquals(parseDialAddress("127.0.0.1:0"), {
    ok: false,
    problem: "port out of range, expected 1 to 65535",
  });
  assertEquals(parseDialAddress("localhost:80").ok, true);
});

Deno.test("parseHost takes an address or name without a port", () => {
  for (const text of ["10.0.0.5", "::1", "user.internal", "localhost"]) {
    assertEquals(parseHost(text), { ok: true, value: text });
  }
  for (const text of ["10.0.0.5:80", "[::1]", "10.0.0", "", "a/b"]) {
    assertEquals(parseHost(text).ok, false, text);
  }
});

Deno.test("parseCidr takes blocks of both families and nothing else", () => {
  for (const text of ["10.0.0.0/8", "0.0.0.0/0", "192.168.1.7/32", "fd00::/8", "::/0", "::1/128"]) {
    assertEquals(parseCidr(text), { ok: true, value: text });
  }
  const bad = ["10.0.0.0", "10.0.0.0/33", "10.0.0/8", "fd00::/129", "10.0.0.0/08", "/8", "", "a/8"]
    .concat(["10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8/8"]);
  assertEquals(bad.filter((text) => parseCidr(text).ok), []);
});

Deno.test("parseCidr takes only what IpBlocks takes", () => {
  const texts = [
    "10.0.0.0/8",
    "::ffff:10.0.0.0/8",
    "::ffff:10.0.0.0/120",
    "1::2::3/8",
    "fe80::%1/8",
  ];
  for (const text of texts.filter((each) => parseCidr(each).ok)) new IpBlocks([text]);
  assertEquals(texts.filter((each) => parseCidr(each).ok), ["10.0.0.0/8", "::ffff:10.0.0.0/8"]);
});

Deno.test("isLoopback knows the loopback block, ::1 in every spelling and localhost", () => {
  for (const host of ["127.0.0.1", "127.9.9.9", "::1", "0:0:0:0:0:0:0:1", "localhost"]) {
    assertEquals(isLoopback(host), true, host);
  }
  for (const host of ["10.0.0.1", "0.0.0.0", "::", "127.example.com"]) {
    assertEquals(isLoopback(host), false, host);
  }
});

Deno.test("isWildcard knows both unspecified addresses", () => {
  assertEquals(["0.0.0.0", "::", "0:0::0"].map(isWildcard), [true, true, true]);
  assertEquals(["127.0.0.1", "::1", "localhost"].map(isWildcard), [false, false, false]);
});

Deno.test("isSameListener sees the same socket behind different spellings", () => {
  const same: [string, string][] = [
    ["127.0.0.1:80", "127.0.0.1:80"],
    ["localhost:80", "127.0.0.1:80"],
    ["0.0.0.0:80", "127.0.0.1:80"],
    ["10.0.0.1:80", "0.0.0.0:80"],
    ["[::]:80", "127.0.0.1:80"],
    ["[::]:80", "0.0.0.0:80"],
    ["[::1]:80", "[0:0:0:0:0:0:0:1]:80"],
  ];
  for (const [a, b] of same) assertEquals(isSameListener(bind(a), bind(b)), true, `${a} ${b}`);
});

Deno.test("isSameListener keeps different ports, hosts and families apart, and port 0 always", () => {
  const different: [string, string][] = [
    ["127.0.0.1:80", "127.0.0.1:81"],
    ["127.0.0.1:80", "127.0.0.2:80"],
    ["0.0.0.0:80", "[::1]:80"],
    ["127.0.0.1:0", "127.0.0.1:0"],
  ];
  for (const [a, b] of different) {
    assertEquals(isSameListener(bind(a), bind(b)), false, `${a} ${b}`);
  }
});
