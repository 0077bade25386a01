// What the head of a response says (RFC 9113 8.3.2): :status, and how much content may follow.
import type { Field } from "../http/field.ts";
import { FieldList } from "../http/fields.ts";
import { isHopByHop, knownId } from "../http/field_names.ts";
import { hasResponseBody } from "../http/message.ts";
import { checkHopByHop, checkWellFormed, isPseudo, malformed, parseLength } from "./field_rules.ts";

const CONTENT_LENGTH = knownId("content-length");

export interface ResponseHead {
  readonly status: number;
  readonly headers: FieldList;
  /** Bytes of content that will follow; undefined where only the end tells. */
  readonly length: number | undefined;
}

/** Takes `fields` over. Throws StreamError on a malformed response. */
export function readResponseHead(stream: number, fields: Field[], method: string): ResponseHead {
  const status = readStatus(stream, fields[0]);
  let length: number | undefined;
  let kept = 0;
  for (let i = 1; i < fields.length; i++) {
    const field = fields[i]!;
    if (isPseudo(field)) malformed(stream, "a pseudo-field besides :status");
    checkWellFormed(stream, field);
    if (isHopByHop(field.id)) {
      checkHopByHop(stream, field);
      continue;
    }
    if (field.id === CONTENT_LENGTH) {
      if (length !== undefined) malformed(stream, "content-length twice");
      length = parseLength(stream, field.value);
    }
    fields[kept++] = field;
  }
  fields.length = kept;
  // What HEAD and 304 declare is the length of another response (8.1.1).
  if (!hasResponseBody(method, status)) length = 0;
  return { status, headers: new FieldList(fields), length };
}

/** Three digits; 101 does not exist in HTTP/2 (8.6). */
function readStatus(stream: number, field: Field | undefined): number {
  if (field?.name !== ":status") malformed(stream, "no :status in front");
  const { value } = field;
  const status = value.length === 3 ? parseLength(stream, value) : 0;
  if (status < 100 || status > 599 || status === 101) malformed(stream, `a :status of ${value}`);
  return status;
}
