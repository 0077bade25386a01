import { assertEquals } from "@std/assert";
import type { ConsulAddress } from "./bootstrap.ts";
import { parseConsulAddress } from "./consul_address.ts";

Deno.test("parseConsulAddress takes http, https and Unix sockets, with Consul's own ports by default", () => {
  const cases: [string, ConsulAddress][] = [
    ["http://127.0.0.1:8500", { kind: "http", host: "127.0.0.1", port: 8500 }],
    ["http://consul", { kind: "http", host: "consul", port: 8500 }],
    ["https://Consul.Internal", { kind: "https", host: "consul.internal", port: 8501 }],
    ["https://[::1]:443", { kind: "https", host: "::1", port: 443 }],
    ["unix:///run/consul.sock", { kind: "unix", path: "/run/consul.sock" }],
  ];
  for (const [text, value] of cases) assertEquals(parseConsulAddress(text), { ok: true, value });
});

Deno.test("parseConsulAddress refuses what is no address of an agent", () => {
  const wrong = [
    "",
    "127.0.0.1:8500",
    "http://",
    "http://127.0.0.1:8500/",
    "http://127.0.0.1:8500/v1",
    "http://token@127.0.0.1:8500",
    "http://127.0.0.1:0",
    "http://127.0.0.1:65536",
    "http://999.0.0.1:8500",
    "http://::1:8500",
    "http://[::1",
    "unix://run/consul.sock",
    "ftp://127.0.0.1",
  ];
  for (const text of wrong) assertEquals(parseConsulAddress(text).ok, false, text);
});
