// What commands about a running sidecar share: where its admin port is, and what it means when nobody is there.
import { DEFAULTS } from "../config/defaults.ts";
import type { AdminAnswer } from "../net/admin_client.ts";
import { UsageError } from "./errors.ts";
import { EXIT } from "./exit_codes.ts";
import type { Host } from "./host.ts";

export const ADMIN_OPTIONS = {
  admin: { type: "string", default: DEFAULTS["listeners.admin"].value },
} as const;

/** Throws UsageError. */
export function adminUrl(admin: string): string {
  const url = URL.parse(admin.includes("://") ? admin : `http://${admin}`);
  if (url?.protocol === "http:" && url.pathname === "/" && url.search === "") return url.origin;
  throw new UsageError(
    `--admin ${JSON.stringify(admin)}: expected HOST:PORT such as 127.0.0.1:15000`,
  );
}

/** The exit code of what `work` makes of the answer; 69 where there is none. */
export async function withAnswer(
  host: Host,
  call: { readonly method: "GET" | "POST"; readonly url: string },
  work: (answer: AdminAnswer) => number,
): Promise<number> {
  let answer: AdminAnswer;
  try {
    answer = await host.callAdmin(call.method, call.url);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    host.err(`sidecar: no answer from ${call.url}: ${reason}\n`);
    return EXIT.unavailable;
  }
  return work(answer);
}
