// What may not stand behind a body, whichever version brought it or takes it.
import { NameSet } from "./field_names.ts";

/** Fields that mean nothing or do harm there: framing, routing, authentication, identity (RFC 9110 6.5.1). */
export const FORBIDDEN_TRAILERS: NameSet = new NameSet([
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "content-length",
  "content-encoding",
  "content-type",
  "content-range",
  "host",
  "expect",
  "authorization",
  "www-authenticate",
  "cookie",
  "set-cookie",
  "via",
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-proto",
  "x-forwarded-host",
  "x-request-id",
  "x-user-id",
]);

const IDS: ReadonlySet<number> = new Set(FORBIDDEN_TRAILERS.ids);
const NAMES: ReadonlySet<string> = new Set(FORBIDDEN_TRAILERS.names);

/** Whether a field with this name (in lower case) and its id must not stand behind a body, whoever sent it. */
export function isForbiddenTrailer(id: number, name: string): boolean {
  return id === 0 ? NAMES.has(name) : IDS.has(id);
}
