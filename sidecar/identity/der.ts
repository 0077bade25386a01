// Reads DER (X.690): tag, length, value, and nothing of what they mean. Strict, for it reads what strangers send:
// lengths in their shortest form, no indefinite ones, nothing behind the end.

/** One element; `start` and `end` bound its value, `from` is where its tag stands. */
export interface DerElement {
  readonly tag: number;
  readonly from: number;
  readonly start: number;
  readonly end: number;
}

/** The bytes are not DER, or not of the form that was expected. */
export class DerError extends Error {
  override readonly name = "DerError";
}

export const SEQUENCE = 0x30;
export const BOOLEAN = 0x01;
export const INTEGER = 0x02;
export const BIT_STRING = 0x03;
export const OCTET_STRING = 0x04;
export const OBJECT_IDENTIFIER = 0x06;

/** More bytes of length than any certificate needs. */
const MAX_LENGTH_BYTES = 3;

/** The element at `offset`, which must end by `limit`. */
export function readElement(bytes: Uint8Array, offset: number, limit: number): DerElement {
  if (offset + 2 > limit) throw new DerError("ends within an element");
  const tag = bytes[offset]!;
  if ((tag & 0x1f) === 0x1f) throw new DerError("a tag of several bytes");
  const { length, start } = readLength(bytes, offset + 1, limit);
  if (length > limit - start) throw new DerError("an element longer than what holds it");
  return { tag, from: offset, start, end: start + length };
}

function readLength(
  bytes: Uint8Array,
  offset: number,
  limit: number,
): { readonly length: number; readonly start: number } {
  const first = bytes[offset]!;
  if (first < 0x80) return { length: first, start: offset + 1 };
  const count = first & 0x7f;
  const start = offset + 1 + count;
  if (count === 0 || count > MAX_LENGTH_BYTES || start > limit) throw new DerError("a bad length");
  let length = 0;
  for (let i = offset + 1; i < start; i++) length = length * 256 + bytes[i]!;
  if (length < 0x80 || bytes[offset + 1] === 0) throw new DerError("a length in a longer form");
  return { length, start };
}

/** The elements within `parent`, which they fill exactly. */
export function childrenOf(bytes: Uint8Array, parent: DerElement): DerElement[] {
  const children: DerElement[] = [];
  for (let offset = parent.start; offset < parent.end;) {
    const child = readElement(bytes, offset, parent.end);
    children.push(child);
    offset = child.end;
  }
  return children;
}

/** The one element that fills `bytes`, which must have this tag. */
export function onlyElement(bytes: Uint8Array, tag: number): DerElement {
  const element = readElement(bytes, 0, bytes.length);
  if (element.end !== bytes.length) throw new DerError("bytes behind the end");
  return expectTag(element, tag);
}

/** `element`, when it is there and has this tag. */
export function expectTag(element: DerElement | undefined, tag: number): DerElement {
  if (element === undefined) throw new DerError(`no element where tag ${tag} is due`);
  if (element.tag !== tag) throw new DerError(`tag ${element.tag} where ${tag} is due`);
  return element;
}

/** The value's bytes, not copied. */
export function valueOf(bytes: Uint8Array, element: DerElement): Uint8Array {
  return bytes.subarray(element.start, element.end);
}

/** Tag, length and value, not copied. */
export function wholeOf(bytes: Uint8Array, element: DerElement): Uint8Array {
  return bytes.subarray(element.from, element.end);
}

/** An OBJECT IDENTIFIER as "2.5.29.17". */
export function objectIdentifier(bytes: Uint8Array, element: DerElement | undefined): string {
  const value = valueOf(bytes, expectTag(element, OBJECT_IDENTIFIER));
  const arcs: number[] = [];
  let arc = 0;
  for (const byte of value) {
    arc = arc * 128 + (byte & 0x7f);
    if (arc > Number.MAX_SAFE_INTEGER / 128) throw new DerError("an object identifier too large");
    if (byte >= 0x80) continue;
    arcs.push(arc);
    arc = 0;
  }
  const [first] = arcs;
  if (first === undefined || value.at(-1)! >= 0x80) throw new DerError("a bad object identifier");
  const root = Math.min(2, Math.floor(first / 40));
  return [root, first - 40 * root, ...arcs.slice(1)].join(".");
}
