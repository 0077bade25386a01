// Versions of Deno that this program should not run on.

/**
 * They abort the whole process inside nghttp2 when a peer sends GOAWAY after streams (denoland/deno#36788);
 * seen with a @grpc/grpc-js client that closes its channel. 2.9.0 to 2.9.3 survive the same script.
 */
const ABORTING: ReadonlySet<string> = new Set(["2.9.4", "2.9.5", "2.9.6"]);

/** What to say about running on this version of Deno, or null. */
export function runtimeWarning(version: string): string | null {
  if (!ABORTING.has(version)) return null;
  return `Deno ${version} can abort the whole process when an HTTP/2 peer goes away ` +
    "(denoland/deno#36788): use 2.9.3";
}
