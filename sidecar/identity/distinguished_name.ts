// A distinguished name (X.501) as one line of text: RFC 4514, the most specific part first. Made from its DER and not from a
// runtime's text of it, where a comma within a value looks like the beginning of the next part.
import { latin1 } from "../lib/bytes.ts";
import {
  childrenOf,
  type DerElement,
  expectTag,
  objectIdentifier,
  onlyElement,
  SEQUENCE,
  valueOf,
  wholeOf,
} from "./der.ts";

const SET = 0x31;
const UTF8_STRING = 0x0c, PRINTABLE_STRING = 0x13, IA5_STRING = 0x16;

/** Section 3, and two that certificates of clients have besides, as OpenSSL calls them. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ["2.5.4.3", "CN"],
  ["2.5.4.5", "serialNumber"],
  ["2.5.4.6", "C"],
  ["2.5.4.7", "L"],
  ["2.5.4.8", "ST"],
  ["2.5.4.9", "STREET"],
  ["2.5.4.10", "O"],
  ["2.5.4.11", "OU"],
  ["0.9.2342.19200300.100.1.1", "UID"],
  ["0.9.2342.19200300.100.1.25", "DC"],
  ["1.2.840.113549.1.9.1", "emailAddress"],
]);

/** Section 2.4 lets any of these stand as it is within a value. */
const PLAIN = /^[A-Za-z0-9 .:@/_'()?!$*&%~-]$/;

/** Printable ASCII without quotes, whatever the name holds; empty for an empty name. Throws DerError. */
export function distinguishedName(der: Uint8Array): string {
  return childrenOf(der, onlyElement(der, SEQUENCE))
    .map((part) => partOf(der, expectTag(part, SET)))
    .reverse().join(",");
}

function partOf(der: Uint8Array, part: DerElement): string {
  return childrenOf(der, part).map((pair) => {
    const [type, value] = childrenOf(der, expectTag(pair, SEQUENCE));
    const id = objectIdentifier(der, type);
    if (value === undefined) return `${id}=`;
    const name = NAMES.get(id);
    // Section 2.4: a type without a name, and a kind of text that is not ASCII's own, go as their bytes.
    return name !== undefined && isText(value)
      ? `${name}=${escaped(valueOf(der, value))}`
      : `${name ?? id}=#${hex(wholeOf(der, value))}`;
  }).join("+");
}

function isText({ tag }: DerElement): boolean {
  return tag === UTF8_STRING || tag === PRINTABLE_STRING || tag === IA5_STRING;
}

/** What could end a value, or a quoted text around it, or is no ASCII stands as the hex pair of each byte. */
function escaped(value: Uint8Array): string {
  const last = value.length - 1;
  const letters = Array.from(latin1(value, 0, value.length), (letter, i) => {
    const isSpaceAtAnEnd = letter === " " && (i === 0 || i === last);
    return PLAIN.test(letter) && !isSpaceAtAnEnd ? letter : `\\${hex(value.subarray(i, i + 1))}`;
  });
  return letters.join("");
}

function hex(bytes: Uint8Array): string {
  return bytes.toHex().toUpperCase();
}
