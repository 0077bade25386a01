// The two fields that delimit a body, for heads of both kinds: what can be read in two ways is refused (RFC 9112 6.3), or
// one message could be smuggled in another.
import { knownId } from "../http/field_names.ts";
import type { RawFields } from "./raw_fields.ts";

const CONTENT_LENGTH = knownId("content-length");
const TRANSFER_ENCODING = knownId("transfer-encoding");

/** Throws the error of the side that sent the head. */
export type Refuse = (message: string) => never;

/** What the one Content-Length says; undefined where there is none. */
export function readContentLength(fields: RawFields, refuse: Refuse): number | undefined {
  const index = onlyOne(fields, CONTENT_LENGTH, "Content-Length", refuse);
  if (index < 0) return undefined;
  return fields.lengthAt(index) ?? refuse("Content-Length is not a number of bytes");
}

/** What the one Transfer-Encoding says; undefined where there is none. */
export function readTransferEncoding(fields: RawFields, refuse: Refuse): string | undefined {
  const index = onlyOne(fields, TRANSFER_ENCODING, "Transfer-Encoding", refuse);
  return index < 0 ? undefined : fields.valueAt(index);
}

/** Where the field stands; -1 where it did not come. */
function onlyOne(fields: RawFields, id: number, name: string, refuse: Refuse): number {
  let found = -1;
  if (!fields.mayHave(id)) return found;
  for (let i = 0; i < fields.count; i++) {
    if (fields.idAt(i) !== id) continue;
    if (found >= 0) refuse(`more than one ${name}`);
    found = i;
  }
  return found;
}
