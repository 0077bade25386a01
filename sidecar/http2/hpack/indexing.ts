// Which fields the encoder lets into its table. A connection to an upstream carries the requests of many callers: what
// one of them keeps secret must not be found out by another who watches sizes (RFC 7541 7.1).
import type { Field } from "../../http/field.ts";
import { fieldId } from "../../http/field_names.ts";
import { STATIC_COUNT, STATIC_FIELDS } from "./static_table.ts";

/**
 * `never`: no hop may index it. `name`: the value is of this message only, so at most the name is worth an entry.
 * `field`: worth an entry when it comes again.
 */
export type Indexing = "never" | "name" | "field";

/** What the encoder knows of a name. */
export interface NameTraits {
  /** The first entry of that name in the static table, 0 for none. The others of that name follow it. */
  readonly staticIndex: number;
  readonly indexing: Indexing;
  /** Values longer or shorter than these are not what `indexing` says: they are `never` and `name`. */
  readonly minLength: number;
  readonly maxLength: number;
}

const SECRET = "authorization proxy-authorization";

const OF_ONE_MESSAGE = "age b3 baggage content-length content-range expires grpc-message " +
  "grpc-status-details-bin grpc-timeout idempotency-key if-match if-modified-since if-none-match if-range " +
  "if-unmodified-since location ratelimit ratelimit-remaining ratelimit-reset set-cookie traceparent " +
  "tracestate uber-trace-id x-amzn-trace-id x-b3-parentspanid x-b3-spanid x-b3-traceid x-correlation-id x-request-id";

/** A shorter cookie could be guessed (RFC 7541 7.1.3; nghttp2 draws the line here too). */
const MIN_COOKIE = 20;

/** Longer paths carry what differs from request to request. */
const MAX_PATH = 128;

const OTHERS: NameTraits = { staticIndex: 0, indexing: "field", minLength: 0, maxLength: Infinity };

const TRAITS = new Map<string, NameTraits>();
for (let index = STATIC_COUNT; index > 0; index--) {
  change(STATIC_FIELDS[index]!.name, { staticIndex: index });
}
for (const name of SECRET.split(" ")) change(name, { indexing: "never" });
for (const name of OF_ONE_MESSAGE.split(" ")) change(name, { indexing: "name" });
change("cookie", { minLength: MIN_COOKIE });
change(":path", { maxLength: MAX_PATH });

/** The same by the number of the name, where it has one: a Map's lookup of a text costs 0.05 us (measured). */
const BY_ID: NameTraits[] = [];
for (const [name, traits] of TRAITS) if (fieldId(name) !== 0) BY_ID[fieldId(name)] = traits;

function change(name: string, traits: Partial<NameTraits>): void {
  TRAITS.set(name, { ...(TRAITS.get(name) ?? OTHERS), ...traits });
}

export function traitsOf({ id, name }: Field): NameTraits {
  return (id !== 0 ? BY_ID[id] : TRAITS.get(name)) ?? OTHERS;
}

export function indexingOf(field: Field, traits: NameTraits): Indexing {
  if (field.isSensitive || field.value.length < traits.minLength) return "never";
  return field.value.length > traits.maxLength ? "name" : traits.indexing;
}
