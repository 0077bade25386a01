// `sidecar ca roll`: the steps in which a root is replaced while the mesh runs.
import { parseArguments, refuseMore } from "./arguments.ts";
import { AUTHORITY_OPTIONS, storeOf, tellFailure } from "./ca_options.ts";
import { UsageError } from "./errors.ts";
import { EXIT } from "./exit_codes.ts";
import type { Host } from "./host.ts";

/** What each step says when it is done. */
const DONE = {
  begin: "The next root is trusted. When every sidecar has read it (some seconds): ca roll switch",
  switch: "The next root signs. When every certificate of the last one has been replaced " +
    "(sidecars with selfSigned do so in some seconds; those of ca issue want new files): ca roll finish",
  finish: "The last root is trusted no more.",
} as const;

export async function rollRoot(args: readonly string[], host: Host): Promise<number> {
  const { values, positionals: [step, ...more] } = parseArguments(args, AUTHORITY_OPTIONS);
  refuseMore(more);
  if (step !== "begin" && step !== "switch" && step !== "finish") {
    throw new UsageError("expected a step: begin, switch or finish");
  }
  const store = storeOf(values, host);
  return await tellFailure(host, async () => {
    if (step === "begin") await store.beginRoll();
    else if (step === "switch") await store.switchRoll();
    else await store.finishRoll();
    host.out(`${DONE[step]}\n`);
    return EXIT.ok;
  });
}
