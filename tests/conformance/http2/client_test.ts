// Our codec in the role of the client: every frame of a server that is none gets its verdict, nothing of it is passed on,
// and the next request is answered.
import { assertEquals } from "@std/assert";
import { CodecUpstream } from "../../support/h2/codec_upstream.ts";
import { play } from "../../support/h2/upstream_case.ts";
import { UPSTREAM_FRAMES } from "./cases/upstream_frames.ts";
import { UPSTREAM_MESSAGES } from "./cases/upstream_messages.ts";

const UPSTREAM = [...UPSTREAM_FRAMES, ...UPSTREAM_MESSAGES];

Deno.test("HTTP/2 client: every upstream gets its verdict, and the next request is served", async (t) => {
  assertEquals(new Set(UPSTREAM.map(({ name }) => name)).size, UPSTREAM.length);
  await using subject = new CodecUpstream();
  for (const test of UPSTREAM) {
    await t.step(`${test.section}: ${test.name}`, () => play(subject, test));
  }
  await subject.forget();
  assertEquals(subject.closes, subject.connections);
});
