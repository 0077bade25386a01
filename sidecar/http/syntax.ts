// The characters of HTTP as tables (RFC 9110 5.5, 5.6.2) and the checks on strings that go out.
import { ProxyError } from "../errors.ts";

const OPEN_BRACKET = 91, COLON = 58;

const TOKEN_CHARS = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** 1 for each byte that may stand in a token (method, field name). */
export const TOKEN: Uint8Array = new Uint8Array(256);
for (const letter of TOKEN_CHARS) TOKEN[letter.charCodeAt(0)] = 1;

/** 1 for each byte that may stand in a field value: visible, space, tab and 0x80 and above. */
export const FIELD_VALUE: Uint8Array = new Uint8Array(256).fill(1, 0x20);
FIELD_VALUE[0x09] = 1;
FIELD_VALUE[0x7f] = 0;

/** 1 for each byte that may stand in a request target; a fragment is never sent (RFC 9112 3.2). */
export const TARGET: Uint8Array = new Uint8Array(256).fill(1, 0x21, 0x7f);
TARGET["#".charCodeAt(0)] = 0;

const NAME_CHARS = "-._~%!$&'()*+,;=0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** 1 for each byte that may stand in a host name or IPv4 address (RFC 3986 3.2.2). */
const NAME: Uint8Array = new Uint8Array(256);
for (const letter of NAME_CHARS) NAME[letter.charCodeAt(0)] = 1;

/** 1 for each byte that may stand in an IPv6 address. */
const IPV6: Uint8Array = new Uint8Array(256);
for (const letter of "0123456789ABCDEFabcdef:.") IPV6[letter.charCodeAt(0)] = 1;

function consistsOf(text: string, table: Uint8Array, start = 0, end = text.length): boolean {
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    if (code > 255 || table[code] === 0) return false;
  }
  return true;
}

export function isToken(text: string): boolean {
  return text.length > 0 && consistsOf(text, TOKEN);
}

/**
 * host[:port], or nothing at all. No userinfo (RFC 9110 4.2.4), and one way to tell host from port: who routes by the
 * one colon and who serves by another would be two readers with two requests.
 */
export function isAuthority(text: string): boolean {
  if (text === "") return true;
  const isIpv6 = text.charCodeAt(0) === OPEN_BRACKET;
  let end = isIpv6 ? text.indexOf("]") + 1 : text.indexOf(":");
  if (end < 0) end = text.length;
  const isHost = isIpv6
    ? end > 2 && consistsOf(text, IPV6, 1, end - 1)
    : end > 0 && consistsOf(text, NAME, 0, end);
  return isHost && isPort(text, end);
}

/** From `start` on there is nothing, or a colon and up to five digits. */
function isPort(text: string, start: number): boolean {
  if (start === text.length) return true;
  if (text.charCodeAt(start) !== COLON || text.length - start > 6) return false;
  for (let i = start + 1; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 48 || code > 57) return false;
  }
  return true;
}

/** The items of a comma-separated list in lower case, without the spaces and tabs around them; some may be empty. */
export function listItems(list: string): string[] {
  return list.toLowerCase().split(",").map(trimSpace);
}

/** Not `trim`: that takes bytes for spaces which are none to other readers, such as 0xa0. */
function trimSpace(text: string): string {
  let start = 0, end = text.length;
  while (start < end && isSpace(text.charCodeAt(start))) start++;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

export function isTarget(text: string): boolean {
  return text.length > 0 && consistsOf(text, TARGET);
}

export function isFieldValue(text: string): boolean {
  return consistsOf(text, FIELD_VALUE);
}

/**
 * Guards what we ourselves put into a head: a value that could split it is a bug, never bytes on the wire.
 * `id` is that of the name.
 */
export function checkField(name: string, value: string, id: number): void {
  if ((id === 0 && !isToken(name)) || !isFieldValue(value)) {
    throw new ProxyError(
      "internal",
      `refused to write the field ${JSON.stringify(name)}: not a valid name or value`,
      {
        side: "local",
      },
    );
  }
}
