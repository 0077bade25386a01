// A running sidecar under attack, with an application behind it: what its codec withstands alone, the whole withstands too,
// and the application is let go of.
import { expectFlood } from "../../support/h2/abuse.ts";
import type { Reason } from "../../support/h2/frames.ts";
import { DownstreamRig } from "../../support/h2/sidecar_rig.ts";
import { BLOCKS, EMPTY, RESETS } from "./cases/floods.ts";

const CALM: readonly Reason[] = ["ENHANCE_YOUR_CALM"];

Deno.test("HTTP/2 to a sidecar: floods end their connection and cost nobody else", async (t) => {
  await DownstreamRig.run(async (rig) => {
    for (const path of ["/hold/wasted", "/hold/upload"]) rig.hold(path);
    for (const attack of [...RESETS, ...EMPTY, ...BLOCKS]) {
      // 10.5.1 leaves the reason of a block without an end open.
      const ends = BLOCKS.includes(attack) ? [...CALM, "PROTOCOL_ERROR" as const] : CALM;
      await t.step(attack[0], () => expectFlood(rig, attack, ends));
    }
  });
});
