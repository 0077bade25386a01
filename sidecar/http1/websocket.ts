// The handshake of WebSocket over HTTP/1.1 (RFC 6455 4), for where the other side has none: over HTTP/2 there are no
// keys to exchange (RFC 8441 5), so a proxy between the two asks and answers for itself.
import { ProxyError } from "../errors.ts";
import type { Fields } from "../http/fields.ts";
import type { Request } from "../http/message.ts";
import { latin1Bytes } from "../lib/bytes.ts";
import { sha1 } from "../lib/sha1.ts";

const KEY = "sec-websocket-key";
const ACCEPT = "sec-websocket-accept";
const VERSION = "sec-websocket-version";
/** RFC 6455 1.3. */
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** What answers to `key`. */
export function acceptOf(key: string): string {
  return base64(sha1(latin1Bytes(key + GUID)));
}

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

/** What the upstream is asked with; `isOurs` where the client speaks HTTP/2, which has no keys. */
export interface AskedKey {
  readonly key: string;
  readonly isOurs: boolean;
}

/** The key of a request for a WebSocket, made up where the client could not have one; another try keeps it. */
export function askForWebSocket({ headers, version }: Request): AskedKey | undefined {
  const isOurs = version === "2";
  let key = headers.get(KEY);
  if (isOurs && key === undefined) {
    key = base64(crypto.getRandomValues(new Uint8Array(16)));
    headers.set(KEY, key);
    if (!headers.has(VERSION)) headers.set(VERSION, "13");
  }
  return key === undefined ? undefined : { key, isOurs };
}

/**
 * Checks that whoever answered understood (RFC 6455 4.1): a cache or a plain server that says 101 is no WebSocket. The
 * answer to a key of ours is taken out: whom it is passed to knows of none. Throws ProxyError.
 */
export function checkAccepted(headers: Fields, { key, isOurs }: AskedKey): void {
  if (headers.get(ACCEPT) !== acceptOf(key)) {
    const message = "101 with a sec-websocket-accept that does not answer the key";
    throw new ProxyError("upstream-protocol", message, { side: "upstream" });
  }
  if (isOurs) headers.delete(ACCEPT);
}

/** Answers the client's key where the upstream, over HTTP/2, was asked without one. */
export function acceptWebSocket(requestHeaders: Fields, responseHeaders: Fields): void {
  const key = requestHeaders.get(KEY);
  if (key !== undefined && !responseHeaders.has(ACCEPT)) {
    responseHeaders.set(ACCEPT, acceptOf(key));
  }
}
