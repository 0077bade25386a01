// What a running sidecar makes of HTTP/2 upstreams that are broken or hostile: its client, who speaks HTTP/1.1, sees a 502,
// a cut, or the answer of a second try, and never a word of it.
import { assertEquals } from "@std/assert";
import { UpstreamRig } from "../../support/h2/sidecar_rig.ts";
import { play } from "../../support/h2/upstream_case.ts";
import { UPSTREAM_FRAMES } from "./cases/upstream_frames.ts";
import { UPSTREAM_MESSAGES } from "./cases/upstream_messages.ts";

Deno.test("HTTP/2 upstreams of a sidecar get their verdicts, and the next request is served", async (t) => {
  await UpstreamRig.run(async (rig) => {
    for (const test of [...UPSTREAM_FRAMES, ...UPSTREAM_MESSAGES]) {
      await t.step(`${test.section}: ${test.name}`, () => play(rig, test));
    }
    const paths = rig.server.requests.map(({ path }) => path);
    assertEquals(paths.filter((path) => !/^\/(case|clean)\/\d+$/.test(path)), []);
  });
});
