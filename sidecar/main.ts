// The process: its arguments, its exit code, and the errors that nobody else took. Commands stand in cli/.
import { runCli } from "./cli/cli.ts";
import { internalErrorLine } from "./cli/errors.ts";
import { EXIT } from "./cli/exit_codes.ts";
import { type Host, systemHost } from "./cli/host.ts";
import type { StartSidecar } from "./cli/command.ts";

if (import.meta.main) {
  const host = systemHost();
  watchForBugs(host);
  Deno.exit(await runCli(Deno.args, { host, start }));
}

/** Loaded when needed: `check` and `schema` run without the proxy. */
async function start(...args: Parameters<StartSidecar>): ReturnType<StartSidecar> {
  const { startSidecar } = await import("./app.ts");
  return await startSidecar(...args);
}

/**
 * A bug that got past everything. A throw in a callback leaves unknown state behind, so it ends the process; a rejection
 * that nobody awaited belongs to one exchange, and ending here would cut every other one.
 */
function watchForBugs(host: Host): void {
  globalThis.addEventListener("error", (event) => {
    event.preventDefault();
    host.err(internalErrorLine(event.error));
    Deno.exit(EXIT.internal);
  });
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    host.err(internalErrorLine(event.reason));
  });
}
