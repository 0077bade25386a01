import { assertEquals, assertThrows } from "@std/assert";
import { type FakeExchange, fakeExchange } from "../../tests/support/fake_exchange.ts";
import { ProxyError } from "../errors.ts";
import { emptyResponse } from "../http/message.ts";
import type { Exchange } from "../proxy/exchange.ts";
import { Forwarded } from "./forwarded.ts";
import type { ListenerKind } from "./filter.ts";

const PROXY = { host: "10.0.0.9", port: 1 };
const CLIENT = { host: "203.0.113.7", port: 1 };

function forwarded(trustedProxies: readonly string[] = ["10.0.0.0/8"]): Forwarded {
  return new Forwarded({ pseudonym: "me-edge", trustedProxies, newRequestId: () => "new-id" });
}

function pass(about: FakeExchange, filter = forwarded()): Exchange {
  const exchange = fakeExchange(about);
  filter.onRequest(exchange);
  return exchange;
}

/** Fields of the request as it goes on. */
function fields(exchange: Exchange, ...names: string[]): (string | undefined)[] {
  return names.map((name) => {
    const values = exchange.request.headers.all(name);
    return values.length < 2 ? values[0] : values.join(" AND ");
  });
}

const NAMES = ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"];

Deno.test("edge: what a stranger says of himself is replaced by what we see", () => {
  const spoofed = [
    ["x-forwarded-for", "1.1.1.1"],
    ["x-forwarded-for", "10.0.0.1"],
    ["x-forwarded-proto", "https"],
    ["x-forwarded-host", "admin.internal"],
    ["forwarded", "for=1.1.1.1"],
    ["x-request-id", "chosen"],
  ] as const;
  const exchange = pass({ headers: spoofed, peer: CLIENT, authority: "shop.example:8000" });
  assertEquals(fields(exchange, ...NAMES), ["203.0.113.7", "http", "shop.example:8000"]);
  assertEquals(fields(exchange, "forwarded", "x-request-id"), [undefined, "new-id"]);
  assertEquals(exchange.clientAddress, "203.0.113.7");
  assertEquals(exchange.requestId, "new-id");
});

Deno.test("edge: a trusted proxy is believed and its own address added", () => {
  const headers = {
    "x-forwarded-for": "203.0.113.7",
    "x-forwarded-proto": "https",
    "x-forwarded-host": "shop.example",
    "x-request-id": "from-proxy",
  };
  const exchange = pass({ headers, peer: PROXY });
  assertEquals(fields(exchange, ...NAMES), ["203.0.113.7, 10.0.0.9", "https", "shop.example"]);
  assertEquals([exchange.clientAddress, exchange.requestId], ["203.0.113.7", "from-proxy"]);
});

Deno.test("edge: a trusted proxy that says nothing is the client itself", () => {
  const exchange = pass({ peer: PROXY, scheme: "https", authority: "shop.example" });
  assertEquals(fields(exchange, ...NAMES), ["10.0.0.9", "https", "shop.example"]);
  assertEquals(exchange.clientAddress, "10.0.0.9");
});

Deno.test("edge: the client is the last address that no trusted proxy stands behind", () => {
  const cases: Record<string, string> = {
    "203.0.113.7": "203.0.113.7",
    "203.0.113.7, 10.0.0.1": "203.0.113.7",
    "203.0.113.7,10.0.0.1 ,  10.0.0.2": "203.0.113.7",
    "1.1.1.1, 203.0.113.7, 10.0.0.1": "203.0.113.7", // 1.1.1.1 is what the client itself claimed
    "10.0.0.3, 203.0.113.7": "203.0.113.7", // also when it claims an address of ours
    "10.0.0.3, 10.0.0.4": "10.0.0.3",
    "2001:db8::1, ::ffff:10.0.0.1": "2001:db8::1",
  };
  for (const [list, client] of Object.entries(cases)) {
    assertEquals(
      pass({ headers: { "x-forwarded-for": list }, peer: PROXY }).clientAddress,
      client,
      list,
    );
  }
});

Deno.test("edge: the client is read over several fields as if they were one", () => {
  const headers = [["x-forwarded-for", "203.0.113.7"], ["x-forwarded-for", "10.0.0.1"]] as const;
  const exchange = pass({ headers, peer: PROXY });
  assertEquals(exchange.clientAddress, "203.0.113.7");
  assertEquals(fields(exchange, "x-forwarded-for"), ["203.0.113.7, 10.0.0.1, 10.0.0.9"]);
});

Deno.test("edge: what is no address never becomes the client: the one that wrote it does", () => {
  for (
    const list of ["unknown, 10.0.0.1", "_hidden, 10.0.0.1", ", 10.0.0.1", "'; drop, 10.0.0.1"]
  ) {
    assertEquals(
      pass({ headers: { "x-forwarded-for": list }, peer: PROXY }).clientAddress,
      "10.0.0.1",
      list,
    );
  }
  for (const list of ["unknown", "203.0.113.7:80", ",", "1.1.1.1,"]) {
    assertEquals(
      pass({ headers: { "x-forwarded-for": list }, peer: PROXY }).clientAddress,
      "10.0.0.9",
      list,
    );
  }
});

Deno.test("edge: nobody is trusted unless named", () => {
  const exchange = pass({ headers: { "x-forwarded-for": "1.1.1.1" }, peer: PROXY }, forwarded([]));
  assertEquals(fields(exchange, "x-forwarded-for"), ["10.0.0.9"]);
});

Deno.test("inbound: what the mesh said is kept, and the caller's address added", () => {
  const headers = {
    "x-forwarded-for": "203.0.113.7, 10.0.0.9",
    "x-forwarded-proto": "https",
    "x-request-id": "from-edge",
  };
  const exchange = pass({ listener: "inbound", headers, peer: { host: "10.1.1.1", port: 1 } });
  assertEquals(fields(exchange, ...NAMES), ["203.0.113.7, 10.0.0.9, 10.1.1.1", "https", undefined]);
  assertEquals([exchange.clientAddress, exchange.requestId], ["203.0.113.7", "from-edge"]);
});

Deno.test("inbound: where callers can prove who they are, one who did not is a stranger", () => {
  const headers = [...NAMES, "forwarded", "x-real-ip", "x-request-id"]
    .map((name) => [name, "1.1.1.1"] as const);
  const newRequestId = () => "new-id";
  const filter = new Forwarded({
    pseudonym: "me",
    trustedProxies: [],
    hasProof: true,
    newRequestId,
  });
  const come = (identity: string | undefined) => {
    const peer = { host: "10.1.1.1", port: 1, identity };
    return pass({ listener: "inbound", headers, peer }, filter);
  };
  const stranger = come(undefined);
  assertEquals(fields(stranger, ...NAMES), ["10.1.1.1", undefined, undefined]);
  assertEquals(fields(stranger, "forwarded", "x-real-ip"), [undefined, undefined]);
  assertEquals([stranger.clientAddress, stranger.requestId], ["10.1.1.1", "new-id"]);
  const neighbour = come("spiffe://mesh.local/ns/default/svc/gateway");
  assertEquals(fields(neighbour, "x-forwarded-for"), ["1.1.1.1, 10.1.1.1"]);
  assertEquals([neighbour.clientAddress, neighbour.requestId], ["1.1.1.1", "1.1.1.1"]);
});

Deno.test("inbound: a caller without a list is the client, and so is one with a list that is noise", () => {
  const peer = { host: "10.1.1.1", port: 1 };
  assertEquals(pass({ listener: "inbound", peer }).clientAddress, "10.1.1.1");
  const headers = { "x-forwarded-for": "x".repeat(46) };
  assertEquals(pass({ listener: "inbound", peer, headers }).clientAddress, "10.1.1.1");
});

Deno.test("outbound: the app is the client, and what it says stays", () => {
  const headers = { "x-forwarded-for": "1.1.1.1", "x-forwarded-host": "h", "x-request-id": "own" };
  const exchange = pass({ listener: "outbound", headers, peer: { host: "127.0.0.1", port: 1 } });
  assertEquals(fields(exchange, ...NAMES), ["1.1.1.1", undefined, "h"]);
  assertEquals([exchange.clientAddress, exchange.requestId], ["127.0.0.1", "own"]);
});

Deno.test("a request id is kept when it is 1 to 128 visible ASCII characters, else replaced", () => {
  const kept = ["a", "x".repeat(128), '0b4c-~!{}"', "!~"];
  const replaced = ["", "x".repeat(129), "a b", "a\tb", "é", "\u00a0", "a\u0080"];
  for (const listener of ["inbound", "outbound"] as const) {
    for (const id of kept) {
      const exchange = pass({ listener, headers: { "x-request-id": id } });
      assertEquals([exchange.requestId, ...fields(exchange, "x-request-id")], [id, id]);
    }
    for (const id of replaced) {
      const exchange = pass({ listener, headers: { "x-request-id": id } });
      assertEquals(
        [exchange.requestId, ...fields(exchange, "x-request-id")],
        ["new-id", "new-id"],
        id,
      );
    }
  }
});

Deno.test("an id that is replaced leaves none of several behind", () => {
  const headers = [["x-request-id", "a b"], ["x-request-id", "second"]] as const;
  assertEquals(fields(pass({ listener: "inbound", headers }), "x-request-id"), ["new-id"]);
});

Deno.test("every listener adds itself to via, behind those before it, with the version it was asked in", () => {
  for (const listener of ["edge", "inbound", "outbound"] as const) {
    const headers = { via: "1.0 old, 1.1 other-edge" };
    const exchange = pass({ listener, headers, version: "1.0" });
    assertEquals(exchange.request.headers.all("via"), ["1.0 old, 1.1 other-edge", "1.0 me-edge"]);
  }
});

Deno.test("a request that has been here before is a loop, wherever in via it says so", () => {
  const seen: (readonly (readonly [string, string])[])[] = [
    [["via", "1.1 me-edge"]],
    [["via", "1.1 a, 1.1 me-edge (comment), 1.1 b"]],
    [["via", "1.1 a"], ["via", "2 me-edge"]],
    [["via", "HTTP/1.1 me-edge"]],
  ];
  for (const headers of seen) {
    const error = assertThrows(() => pass({ headers }), ProxyError);
    assertEquals([error.kind, error.side], ["loop-detected", "local"]);
  }
  pass({ headers: { via: "1.1 me-edge-2, 1.1 not-me-edge" } });
});

Deno.test("32 hops are a long way, 33 a loop", () => {
  const hops = (count: number): string =>
    Array.from({ length: count }, (_, i) => `1.1 h${i}`).join(", ");
  pass({ headers: { via: hops(32) } });
  const error = assertThrows(() => pass({ headers: { via: hops(33) } }), ProxyError);
  assertEquals(error.kind, "loop-detected");
});

Deno.test("a loop is answered with its id and logged with its client like every other request", () => {
  const exchange = fakeExchange({ headers: { via: "1.1 me-edge" }, peer: CLIENT });
  const filter = forwarded();
  assertThrows(() => filter.onRequest(exchange), ProxyError);
  const response = emptyResponse(508);
  filter.onResponse(exchange, response);
  assertEquals(response.headers.get("x-request-id"), "new-id");
  assertEquals(exchange.clientAddress, "203.0.113.7");
});

Deno.test("the answer names the request at the edge and the proxy on the outbound side, and else nothing", () => {
  const wanted: Record<ListenerKind, [string | undefined, string | undefined]> = {
    edge: ["new-id", undefined],
    inbound: [undefined, undefined],
    outbound: [undefined, "1.1 me-edge"],
  };
  for (const listener of ["edge", "inbound", "outbound"] as const) {
    const filter = forwarded();
    const exchange = pass({ listener, peer: CLIENT }, filter);
    const response = emptyResponse(200);
    filter.onResponse(exchange, response);
    const { headers } = response;
    assertEquals([headers.get("x-request-id"), headers.get("via")], wanted[listener], listener);
  }
});

Deno.test("at the edge an id that the service sent does not stand beside ours", () => {
  const filter = forwarded();
  const exchange = pass({ peer: CLIENT }, filter);
  const response = emptyResponse(200);
  response.headers.append("x-request-id", "of the service");
  filter.onResponse(exchange, response);
  assertEquals(response.headers.all("x-request-id"), ["new-id"]);
});
