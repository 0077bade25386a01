// Our codec in the role of the server: every case of RFC 9113, 7541 and 8441 over a socket gets its verdict, and after
// each of them an honest request on a new connection is served.
import { assertEquals } from "@std/assert";
import type { H2Case } from "../../support/h2/case.ts";
import { EchoProcess } from "../../support/h2/echo_process.ts";
import { judge, observe } from "../../support/h2/observe.ts";
import { COMPRESSION } from "./cases/compression.ts";
import { CONNECTION_FRAMES } from "./cases/connection_frames.ts";
import { FRAMING } from "./cases/framing.ts";
import { HEADS } from "./cases/heads.ts";
import { MESSAGES } from "./cases/messages.ts";
import { STATES } from "./cases/states.ts";
import { STREAM_FRAMES } from "./cases/stream_frames.ts";

const CHAPTERS: readonly (readonly [string, readonly H2Case[]])[] = [
  ["the preface and the size of frames", FRAMING],
  ["every frame in every state of a stream", STATES],
  ["frames of a stream", STREAM_FRAMES],
  ["frames of the connection", CONNECTION_FRAMES],
  ["field blocks", COMPRESSION],
  ["heads", HEADS],
  ["bodies, trailers and CONNECT", MESSAGES],
];

for (const [name, cases] of CHAPTERS) {
  Deno.test(`HTTP/2 server: ${name}`, async (t) => {
    assertEquals(new Set(cases.map(({ name }) => name)).size, cases.length);
    await EchoProcess.run({}, async (server) => {
      for (const test of cases) {
        await t.step(`${test.section}: ${test.name}`, async () => {
          judge(test, await observe(server.port, test));
          await server.expectClean();
        });
      }
    });
  });
}
