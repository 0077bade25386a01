// HTTP/2 as it is spoken to a running sidecar before an HTTP/1.1 application: the same verdicts as the codec alone gives,
// nothing of what is refused reaches the application, and what is forwarded is one request to every reader.
import { assertEquals } from "@std/assert";
import { get, literal, type Pair, post, request } from "../../support/h2/block.ts";
import type { H2Case } from "../../support/h2/case.ts";
import {
  bytes,
  data,
  end,
  FLAG,
  frame,
  headers,
  OPEN,
  padded,
  TYPE,
} from "../../support/h2/frames.ts";
import { judge, observe } from "../../support/h2/observe.ts";
import { H2Peer } from "../../support/h2/peer.ts";
import { DownstreamRig, withHttp2App } from "../../support/h2/sidecar_rig.ts";
import { fieldsOf, type RecordedRequest } from "../../support/recording_backend.ts";
import { SMUGGLED } from "../socket_case.ts";
import { COMPRESSION } from "./cases/compression.ts";
import { CONNECTION_FRAMES } from "./cases/connection_frames.ts";
import { FRAMING } from "./cases/framing.ts";
import { HEADS } from "./cases/heads.ts";
import { MESSAGES } from "./cases/messages.ts";
import { STATES } from "./cases/states.ts";
import { STREAM_FRAMES } from "./cases/stream_frames.ts";

const CASES: readonly H2Case[] = [
  ...FRAMING,
  ...STATES,
  ...STREAM_FRAMES,
  ...CONNECTION_FRAMES,
  ...COMPRESSION,
  ...HEADS,
  ...MESSAGES,
];

/** Requests that were never whole, or never one: an application must not see one of them to its end. */
function isMalformed({ allowed, isLate }: H2Case): boolean {
  return !isLate &&
    allowed.every((verdict) =>
      verdict.is === "stream error" && verdict.reason === "PROTOCOL_ERROR" ||
      verdict.is === "answered" && verdict.status === "400"
    );
}

Deno.test("HTTP/2 to a sidecar: every case gets its verdict, and what is malformed goes no further", async (t) => {
  await DownstreamRig.run(async (rig) => {
    for (const test of CASES) {
      if (test.needsHold) continue;
      await t.step(`${test.section}: ${test.name}`, async () => {
        const before = rig.backend.requests.length;
        judge(test, await observe(rig.port, test));
        await rig.expectClean();
        if (!isMalformed(test)) return;
        const seen = rig.backend.requests.slice(before).map(({ target }) => target);
        assertEquals(seen.slice(0, -1).filter((target) => target !== "/probe"), []);
      });
    }
  });
});

Deno.test("HTTP/2 to a sidecar before an HTTP/2 application: the same verdicts", async (t) => {
  await withHttp2App(async (port, app) => {
    for (const test of CASES) {
      if (test.needsHold) continue;
      await t.step(`${test.section}: ${test.name}`, async () => {
        judge(test, await observe(port, test));
        using peer = await H2Peer.client(port);
        assertEquals((await peer.ask(1, get("/clean"))).body, "GET /clean");
        assertEquals(app.requests.filter(({ path }) => path.includes("smuggled")), []);
      });
    }
  });
});

interface Forwarded {
  readonly name: string;
  /** On stream 1. */
  readonly sent: Uint8Array;
  readonly line: string;
  readonly body?: string;
  readonly has?: Readonly<Record<string, string>>;
  readonly lacks?: readonly string[];
  readonly trailers?: readonly string[];
}

const FORWARDED: readonly Forwarded[] = [
  {
    name: "a plain request",
    sent: headers(1, get("/plain?a=b", ["x-a", "1"])),
    line: "GET /plain?a=b",
    has: { host: "a", "x-a": "1", "x-forwarded-for": "127.0.0.1" },
    lacks: ["content-length", "transfer-encoding", ":authority"],
  },
  {
    name: "an authority with a port",
    sent: headers(1, request({ authority: "a.test:81", path: "/port" })),
    line: "GET /port",
    has: { host: "a.test:81" },
  },
  {
    name: "a Host in place of the authority",
    sent: headers(1, request({ authority: undefined, path: "/host" }, ["host", "b"])),
    line: "GET /host",
    has: { host: "b" },
  },
  {
    name: "a Host beside the same authority",
    sent: headers(1, request({ path: "/both" }, ["host", "a"])),
    line: "GET /both",
    has: { host: "a" },
  },
  {
    name: "a cookie in crumbs (8.2.3)",
    sent: headers(
      1,
      get("/cookie", ["cookie", "a=1"], ["x", "y"], ["cookie", "b=2"], ["cookie", "c=3"]),
    ),
    line: "GET /cookie",
    has: { cookie: "a=1; b=2; c=3" },
  },
  {
    name: "fields of one name stay apart and in order",
    sent: headers(1, get("/order", ["x-many", "1"], ["x-one", "z"], ["x-many", "2"])),
    line: "GET /order",
    has: { "x-one": "z" },
  },
  {
    name: "values of every byte",
    sent: headers(1, get("/bytes", ["x-bytes", "a\tb\x80\xe9\xff"])),
    line: "GET /bytes",
    has: { "x-bytes": "a\tb\x80\xe9\xff" },
  },
  {
    name: "a body of known length",
    sent: bytes(
      headers(1, post("/length", ["content-length", "5"]), OPEN),
      data(1, "he"),
      end(1, "llo"),
    ),
    line: "POST /length",
    body: "hello",
    has: { "content-length": "5" },
    lacks: ["transfer-encoding"],
  },
  {
    name: "a body of unknown length",
    sent: bytes(headers(1, post("/chunked"), OPEN), data(1, "he"), end(1, "llo")),
    line: "POST /chunked",
    body: "hello",
  },
  {
    name: "a body in padding",
    sent: bytes(
      headers(1, post("/padded"), OPEN),
      frame(TYPE.data, FLAG.padded | FLAG.endStream, 1, padded(4, "hello", SMUGGLED.slice(0, 4))),
    ),
    line: "POST /padded",
    body: "hello",
  },
  {
    name: "a body that looks like a request",
    sent: bytes(headers(1, post("/quoted"), OPEN), end(1, SMUGGLED)),
    line: "POST /quoted",
    body: SMUGGLED,
  },
  {
    name: "a GET with a body that looks like chunks",
    sent: bytes(headers(1, get("/chunks", ["content-length", "5"]), OPEN), end(1, "0\r\n\r\n")),
    line: "GET /chunks",
    body: "0\r\n\r\n",
  },
  {
    name: "a POST without a body",
    sent: headers(1, post("/empty")),
    line: "POST /empty",
    body: "",
  },
  {
    name: "a POST that says it has no body",
    sent: headers(1, post("/zero", ["content-length", "0"])),
    line: "POST /zero",
    has: { "content-length": "0" },
  },
  {
    name: "trailers, of which those that frame or route stay behind",
    sent: bytes(
      headers(1, post("/trailers", ["te", "trailers"]), OPEN),
      data(1, "hello"),
      headers(
        1,
        bytes(literal("x-sum", "1"), literal("content-length", "9"), literal("host", "evil")),
      ),
    ),
    line: "POST /trailers",
    body: "hello",
    has: { "transfer-encoding": "chunked", te: "trailers" },
    trailers: ["x-sum: 1"],
  },
  {
    name: "what only the edge may say about the client",
    sent: headers(
      1,
      get("/claims", ["x-forwarded-for", "10.0.0.1"], ["x-forwarded-proto", "https"], [
        "x-user-id",
        "root",
      ]),
    ),
    line: "GET /claims",
    has: { "x-forwarded-for": "127.0.0.1", "x-forwarded-proto": "http" },
    lacks: ["x-user-id"],
  },
  {
    name: "HEAD",
    sent: headers(1, request({ method: "HEAD", path: "/head" })),
    line: "HEAD /head",
  },
  {
    name: "a method that nobody knows",
    sent: headers(1, request({ method: "BREW!", path: "/pot" })),
    line: "BREW! /pot",
  },
];

function check(found: RecordedRequest, expected: Forwarded): void {
  assertEquals(`${found.method} ${found.target}`, expected.line);
  assertEquals(found.body, expected.body ?? "");
  for (const [name, value] of Object.entries(expected.has ?? {})) {
    assertEquals(fieldsOf(found, name), [value], name);
  }
  for (const name of expected.lacks ?? []) assertEquals(fieldsOf(found, name), [], name);
  const trailers = found.trailers.map(([name, value]: Pair) => `${name}: ${value}`);
  assertEquals(trailers, [...expected.trailers ?? []]);
}

Deno.test("HTTP/2 to a sidecar: what is forwarded over HTTP/1.1 is the request that came", async (t) => {
  await DownstreamRig.run(async (rig) => {
    for (const test of FORWARDED) {
      await t.step(test.name, async () => {
        const before = rig.backend.requests.length;
        using peer = await H2Peer.client(rig.port);
        await peer.send(test.sent);
        const { status, body } = await peer.over(1);
        assertEquals([status, body], ["200", test.line.startsWith("HEAD") ? "" : test.line]);
        // On the same connection: nothing is left over of it.
        assertEquals((await peer.ask(3, get("/behind"))).body, "GET /behind");
        const [request, behind, ...more] = rig.backend.requests.slice(before);
        check(request!, test);
        assertEquals([behind?.target, more.length], ["/behind", 0]);
        await rig.expectClean();
      });
    }
  });
});
