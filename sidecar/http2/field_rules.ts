// What holds for every field list (RFC 9113 8.2): well-formed names and values, nothing connection-specific, lengths that
// are numbers. A message that breaks a rule is malformed: a stream error, and nobody behind the codec ever sees it.
import type { Field } from "../http/field.ts";
import { FieldList } from "../http/fields.ts";
import { isHopByHop, knownId } from "../http/field_names.ts";
import { isForbiddenTrailer } from "../http/trailers.ts";
import { REASON, StreamError } from "./reason.ts";

const COLON = 58;

const TE = knownId("te");

/** Fields that say something about one connection; in HTTP/2 they make a message malformed (8.2.2). */
const CONNECTION_SPECIFIC: ReadonlySet<number> = new Set(
  (["connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade"] as const)
    .map(knownId),
);

export function malformed(stream: number, message: string): never {
  throw new StreamError(stream, REASON.PROTOCOL_ERROR, message);
}

export function isPseudo(field: Field): boolean {
  return field.name.charCodeAt(0) === COLON;
}

export function checkWellFormed(stream: number, field: Field): void {
  if (!field.isWellFormed) {
    malformed(stream, "a field name or value with bytes that it must not have");
  }
}

/**
 * Whether a regular field that is not end-to-end may be left out in silence; malformed where it must not even be here.
 * Of TE only `trailers` may be said.
 */
export function checkHopByHop(stream: number, field: Field): void {
  if (CONNECTION_SPECIFIC.has(field.id)) malformed(stream, `the connection-specific ${field.name}`);
  if (field.id === TE && field.value.toLowerCase() !== "trailers") {
    malformed(stream, "a te other than trailers");
  }
}

export function isTe(field: Field): boolean {
  return field.id === TE;
}

/** A number of bytes that can be counted exactly. */
export function parseLength(stream: number, text: string): number {
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) malformed(stream, "content-length is not a number of bytes");
    length = length * 10 + digit;
  }
  if (text.length === 0 || length > Number.MAX_SAFE_INTEGER) {
    malformed(stream, "content-length is not a number of bytes");
  }
  return length;
}

/** The fields behind a body; those that must not stand there are left out. Takes `fields` over. */
export function readTrailers(stream: number, fields: Field[]): FieldList {
  let kept = 0;
  for (const field of fields) {
    if (isPseudo(field)) malformed(stream, "a pseudo-field behind the body");
    checkWellFormed(stream, field);
    if (isHopByHop(field.id)) checkHopByHop(stream, field);
    else if (!isForbiddenTrailer(field.id, field.name)) fields[kept++] = field;
  }
  fields.length = kept;
  return new FieldList(fields);
}
