import { assertEquals } from "@std/assert";
import { writtenLines } from "../../tests/support/head_reader.ts";
import { rawFields } from "../../tests/support/messages.ts";
import { stripHopByHop } from "./hop_by_hop.ts";

const NOTHING = {
  close: false,
  keepAlive: false,
  upgrade: undefined,
  acceptsTrailers: false,
};

function strip(...lines: string[]) {
  const fields = rawFields(...lines);
  const hop = stripHopByHop(fields);
  return { ...hop, left: writtenLines(fields) };
}

Deno.test("stripHopByHop leaves a head without such fields alone", () => {
  assertEquals(strip("Host: a", "X: b"), { ...NOTHING, left: ["Host: a", "X: b"] });
});

Deno.test("stripHopByHop takes every hop-by-hop field out", () => {
  const lines = [
    "Connection: close",
    "Keep-Alive: max=1",
    "proxy-connection: close",
    "Proxy-Authenticate: a",
    "Proxy-Authorization: b",
    "TE: c",
    "Trailer: d",
    "Transfer-Encoding: chunked",
    "Upgrade: e",
  ];
  assertEquals(strip("A: 1", ...lines, "B: 2"), {
    ...NOTHING,
    close: true,
    left: ["A: 1", "B: 2"],
  });
});

Deno.test("stripHopByHop takes out what Connection names, before it and behind, in any case", () => {
  const found = strip("X-A: 1", "connection: x-b , X-A,,\tx-c\t", "x-B: 2", "X-C: 3", "X-D: 4");
  assertEquals(found, { ...NOTHING, left: ["X-D: 4"] });
});

Deno.test("stripHopByHop does not take white space of others for its own", () => {
  // 0xa0 is a no-break space to JavaScript and a byte of a name to nobody.
  assertEquals(strip("X-A: 1", "connection: \xa0x-a, \xa0close"), { ...NOTHING, left: ["X-A: 1"] });
});

Deno.test("stripHopByHop keeps what a sender must not name", () => {
  const kept = ["Host: a", "Cookie: b", "Via: 1.1 c", "X-User-Id: 7"];
  const found = strip(...kept, "Connection: host, cookie, via, x-user-id, close");
  assertEquals(found, { ...NOTHING, close: true, left: kept });
});

Deno.test("stripHopByHop hears close and keep-alive in any of several Connection fields", () => {
  assertEquals(strip("Connection: Keep-Alive").keepAlive, true);
  const both = strip("Connection: keep-alive", "Connection: x, CLOSE");
  assertEquals([both.close, both.keepAlive], [true, true]);
  assertEquals(strip("Connection: closed").close, false);
});

Deno.test("stripHopByHop believes an upgrade that Connection names", () => {
  const upgrade = ["Upgrade: websocket", "Connection: keep-alive, Upgrade"];
  assertEquals(strip(...upgrade).upgrade, "websocket");
  assertEquals(strip(...upgrade.reverse()).upgrade, "websocket");
  assertEquals(strip("Upgrade: h2c").upgrade, undefined);
});

Deno.test("stripHopByHop hears trailers in any TE", () => {
  assertEquals(strip("TE: Trailers").acceptsTrailers, true);
  assertEquals(strip("TE: gzip;q=0.5, trailers", "TE: deflate").acceptsTrailers, true);
  assertEquals(strip("TE: xtrailers").acceptsTrailers, false);
});
