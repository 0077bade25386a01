// The field names that the proxy itself looks at, each with a small number, so that a head is searched by number and
// not by text. Hop-by-hop names come first: `isHopByHop` is one comparison.

/** In the order of their ids, which begin at 1. The first group is hop-by-hop (RFC 9110 7.6.1). */
const NAMES = [
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  // end-to-end from here on
  "host",
  "content-length",
  "content-type",
  "expect",
  "authorization",
  "origin",
  "cookie",
  "via",
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-proto",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-forwarded-prefix",
  "x-forwarded-user",
  "x-original-url",
  "x-rewrite-url",
  "x-real-ip",
  "x-request-id",
  "x-mesh-reason",
  "x-user-id",
  // as CGI, WSGI and PHP apps read it
  "x_user-id",
  "x-user_id",
  "x_user_id",
  "traceparent",
  "tracestate",
  "idempotency-key",
  "grpc-timeout",
  "x-mesh-timeout-ms",
  "grpc-status",
  "grpc-message",
  "access-control-request-method",
  "access-control-request-headers",
  "vary",
  "date",
  "server",
] as const;

export type KnownName = typeof NAMES[number];

const IDS: ReadonlyMap<string, number> = new Map(NAMES.map((name, index) => [name, index + 1]));

/** The id of a name in lower case; 0 when it is not known. */
export function fieldId(name: string): number {
  return IDS.get(name) ?? 0;
}

/** The id of a name that is known for certain. */
export function knownId(name: KnownName): number {
  return IDS.get(name)!;
}

/** Names that are always looked for together, made once. */
export class NameSet {
  readonly names: readonly string[];
  /** The id of each; 0 for those that are not known. */
  readonly ids: readonly number[];
  /** A bit for each id. There are more ids than bits, so a bit that is set says only that one of them may be meant. */
  readonly bits: number;

  constructor(names: readonly string[]) {
    this.names = names;
    this.ids = names.map(fieldId);
    this.bits = this.ids.reduce((bits, id) => bits | 1 << id, 0);
  }
}

const LAST_HOP_BY_HOP = knownId("upgrade");

export function isHopByHop(id: number): boolean {
  return id !== 0 && id <= LAST_HOP_BY_HOP;
}

/** A byte folded to lower case, for letters; other bytes of a token stay apart from them. */
export function fold(byte: number): number {
  return byte >= 65 && byte <= 90 ? byte | 32 : byte;
}

// Names by a hash of length, first and last byte; names with the same hash are chained.
const BUCKETS = new Uint8Array(256);
const NEXT = new Uint8Array(NAMES.length + 1);
const TEXT: readonly Uint8Array[] = [
  new Uint8Array(),
  ...NAMES.map((name) => Uint8Array.from(name, (letter) => letter.charCodeAt(0))),
];
/** `NAME: ` by id, for writing fields that we add; none for id 0. */
export const PREFIXES: readonly (Uint8Array | undefined)[] = TEXT.map((text, id) =>
  id === 0 ? undefined : Uint8Array.of(...text, 58, 32)
);

for (let id = 1; id < TEXT.length; id++) {
  const text = TEXT[id]!;
  const bucket = hash(text.length, text[0]!, text[text.length - 1]!);
  NEXT[id] = BUCKETS[bucket]!;
  BUCKETS[bucket] = id;
}

function hash(length: number, first: number, last: number): number {
  return ((length << 3) ^ ((first | 32) * 5) ^ ((last | 32) << 1)) & 255;
}

/** The id of the name at `bytes[start, end)` in any case; 0 when it is not known. */
export function fieldIdAt(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  if (length === 0) return 0;
  let id = BUCKETS[hash(length, bytes[start]!, bytes[end - 1]!)]!;
  while (id !== 0 && !isText(bytes, start, TEXT[id]!, length)) id = NEXT[id]!;
  return id;
}

function isText(bytes: Uint8Array, start: number, text: Uint8Array, length: number): boolean {
  if (text.length !== length) return false;
  for (let i = 0; i < length; i++) {
    const byte = bytes[start + i]!;
    if (byte !== text[i] && fold(byte) !== text[i]) return false;
  }
  return true;
}

/** Whether `bytes[start, end)` is `name` (in lower case) in any case. */
export function nameEquals(bytes: Uint8Array, start: number, end: number, name: string): boolean {
  if (end - start !== name.length) return false;
  for (let i = 0; i < name.length; i++) {
    if (fold(bytes[start + i]!) !== name.charCodeAt(i)) return false;
  }
  return true;
}
