// The static table of RFC 7541 appendix A, as the Field objects that every decoder hands out.
import { Field } from "../../http/field.ts";
import { fieldId } from "../../http/field_names.ts";

const ENTRIES: readonly (readonly [name: string, ...values: string[]])[] = [
  [":authority", ""],
  [":method", "GET", "POST"],
  [":path", "/", "/index.html"],
  [":scheme", "http", "https"],
  [":status", "200", "204", "206", "304", "400", "404", "500"],
  ["accept-charset", ""],
  ["accept-encoding", "gzip, deflate"],
];

/** From index 17 on every value is empty. */
const NAMES =
  "accept-language accept-ranges accept access-control-allow-origin age allow authorization " +
  "cache-control content-disposition content-encoding content-language content-length content-location " +
  "content-range content-type cookie date etag expect expires from host if-match if-modified-since " +
  "if-none-match if-range if-unmodified-since last-modified link location max-forwards proxy-authenticate " +
  "proxy-authorization range referer refresh retry-after server set-cookie strict-transport-security " +
  "transfer-encoding user-agent vary via www-authenticate";

function makeFields(): Field[] {
  const entries = [...ENTRIES, ...NAMES.split(" ").map((name) => [name, ""] as const)];
  const fields: Field[] = [new Field("", "")];
  for (const [name, ...values] of entries) {
    for (const value of values) {
      fields.push(new Field(name, value, false, fieldId(name), fields.length));
    }
  }
  return fields;
}

/** By index; at 0, which is no index (RFC 7541 6.1), stands a field that nobody gets. */
export const STATIC_FIELDS: readonly Field[] = makeFields();

export const STATIC_COUNT = STATIC_FIELDS.length - 1;
