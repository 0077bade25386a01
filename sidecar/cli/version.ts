// Which version this is.
import config from "../../deno.json" with { type: "json" };

export const VERSION: string = config.version;

/** `sidecar 0.1.0 (deno 2.9.3)`. */
export function versionLine(runtime: string): string {
  return `sidecar ${VERSION} (deno ${runtime})\n`;
}
