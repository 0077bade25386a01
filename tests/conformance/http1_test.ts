// HTTP/1.1 as it is spoken to a running sidecar: every byte sequence gets its verdict, the backend sees what it should
// and no more, and after each of them an honest request on a new connection is served.
import { assert, assertEquals } from "@std/assert";
import { LIMITS } from "../support/http1_cases/case.ts";
import { REQUESTS } from "../support/http1_cases/requests.ts";
import { Rig } from "../support/http1_rig.ts";
import { fieldsOf, type RecordedRequest } from "../support/recording_backend.ts";
import { FORWARDED } from "./http1_forwarded.ts";
import { REFUSED } from "./http1_refused.ts";
import type { ExpectedRequest, SocketCase } from "./socket_case.ts";

type Manner = "at once" | "byte by byte";

async function expectRefused(
  rig: Rig,
  bytes: string,
  manner: Manner,
  [status, reason]: readonly [number, string],
) {
  await rig.client(async (client) => {
    const sending = manner === "at once" ? client.send(bytes) : client.sendByteByByte(bytes);
    const response = await client.response();
    assertEquals([response.status, response.get("x-mesh-reason")], [status, reason]);
    assertEquals(response.get("connection"), "close");
    // Not reset: the answer must have had every chance to arrive. And nothing behind it.
    assertEquals(await client.ended(), { how: "closed", rest: "" });
    await sending;
  });
}

async function expectAnswered(rig: Rig, test: SocketCase, manner: Manner): Promise<void> {
  const { bytes, forwarded = [], answered, closes = false } = test;
  await rig.client(async (client) => {
    const sending = manner === "at once" ? client.send(bytes) : client.sendByteByByte(bytes);
    for (const { line } of forwarded) {
      const method = line.split(" ")[0];
      const { status, body, get } = await client.response(method);
      assertEquals([status, body], [200, method === "HEAD" ? "" : line]);
      if (closes) assertEquals(get("connection"), "close");
    }
    if (answered !== undefined) assertEquals((await client.response()).status, answered);
    await sending;
    if (closes) assertEquals((await client.ended()).rest, "");
    else {
      await client.send("GET /still-here HTTP/1.1\r\nHost: a\r\n\r\n");
      assertEquals((await client.response()).body, "GET /still-here");
    }
  });
}

function checkRequest(found: RecordedRequest | undefined, expected: ExpectedRequest): void {
  assert(found !== undefined, `the backend did not see ${expected.line}`);
  assertEquals(`${found.method} ${found.target}`, expected.line);
  assertEquals(found.body, expected.body ?? "");
  for (const [name, value] of Object.entries(expected.has ?? {})) {
    assertEquals(fieldsOf(found, name), [value], name);
  }
  for (const name of expected.lacks ?? []) assertEquals(fieldsOf(found, name), [], name);
  assertEquals(
    found.trailers.map(([name, value]) => `${name}: ${value}`),
    [...expected.trailers ?? []],
  );
}

async function run(rig: Rig, test: SocketCase, manner: Manner): Promise<void> {
  const before = rig.backend.requests.length;
  if (test.refused !== undefined) await expectRefused(rig, test.bytes, manner, test.refused);
  else await expectAnswered(rig, test, manner);
  await rig.expectClean();
  const seen = rig.backend.requests.slice(before);
  const expected = [...test.forwarded ?? []];
  if (test.refused === undefined && !test.closes) expected.push({ line: "GET /still-here" });
  assertEquals(seen.length - 1, expected.length, seen.map(({ target }) => target).join(" "));
  for (const [index, request] of expected.entries()) checkRequest(seen[index], request);
}

Deno.test("every raw request gets its verdict, and the next one is served", async (t) => {
  const cases = [...REFUSED, ...FORWARDED];
  assertEquals(new Set(cases.map(({ name }) => name)).size, cases.length);
  await Rig.run({}, async (rig) => {
    for (const test of cases) {
      await t.step(test.name, () => run(rig, test, "at once"));
      if (test.bytes.length > 600) continue;
      await t.step(`${test.name}, byte by byte`, () => run(rig, test, "byte by byte"));
    }
  });
});

Deno.test("the unit tests' corpus gets the same verdicts over a socket", async (t) => {
  const statuses: Readonly<Record<string, number>> = {
    "bad-request": 400,
    "uri-too-long": 414,
    "headers-too-large": 431,
    "not-implemented": 501,
    "version-not-supported": 505,
  };
  const { headBytes: head, headers, requestLineBytes: requestLine } = LIMITS;
  const options = { limits: { head: `${head}B`, headers, requestLine: `${requestLine}B` } };
  await Rig.run(options, async (rig) => {
    for (const { name, bytes, refused } of REQUESTS) {
      if (refused === undefined) continue;
      const { kind } = refused;
      const verdict = [statuses[kind]!, kind] as const;
      await t.step(name, () => run(rig, { name, bytes, refused: verdict }, "at once"));
    }
  });
});
