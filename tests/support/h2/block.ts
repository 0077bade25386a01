// Header blocks (RFC 7541 6) as a hostile encoder writes them: every representation, any byte in names and values, and
// never Huffman but where a case brings the coded bytes itself.
import { bytes, type Piece } from "./frames.ts";

export type Pair = readonly [name: string, value: string];

/** How a literal is to be remembered (RFC 7541 6.2). */
export type Indexing = "without" | "incremental" | "never";

const LITERAL = {
  without: { bits: 4, first: 0x00 },
  incremental: { bits: 6, first: 0x40 },
  never: { bits: 4, first: 0x10 },
} as const;

/** A prefix integer (RFC 7541 5.1) of `bits` bits, with `first` in the bits before it. */
export function integer(bits: number, first: number, value: number): Uint8Array {
  const max = 2 ** bits - 1;
  if (value < max) return Uint8Array.of(first | value);
  const octets = [first | max];
  let rest = value - max;
  for (; rest >= 128; rest = Math.floor(rest / 128)) octets.push(rest % 128 | 128);
  return Uint8Array.from([...octets, rest]);
}

/** A string as it is (RFC 7541 5.2). */
export function text(value: string): Uint8Array {
  return bytes(integer(7, 0, value.length), value);
}

/** A string said to be Huffman-coded. */
export function huffman(coded: Uint8Array): Uint8Array {
  return bytes(integer(7, 0x80, coded.length), coded);
}

export function literal(name: string, value: string, indexing: Indexing = "without"): Uint8Array {
  return bytes(LITERAL[indexing].first, text(name), text(value));
}

/** A literal whose name stands in the table. */
export function named(index: number, value: Piece, indexing: Indexing = "without"): Uint8Array {
  const { bits, first } = LITERAL[indexing];
  return bytes(integer(bits, first, index), typeof value === "string" ? text(value) : value);
}

export function indexed(index: number): Uint8Array {
  return integer(7, 0x80, index);
}

/** A dynamic table size update (RFC 7541 6.3). */
export function tableSize(size: number): Uint8Array {
  return integer(5, 0x20, size);
}

/** The first entry of the dynamic table. */
export const NEWEST = 62;

export function block(...pairs: readonly Pair[]): Uint8Array {
  return bytes(...pairs.map(([name, value]) => literal(name, value)));
}

/** Fields that are one to all readers. */
export const GET: readonly Pair[] = [
  [":method", "GET"],
  [":scheme", "http"],
  [":authority", "a"],
  [":path", "/"],
];

/** A request with these pseudo-fields in place of the usual ones (undefined leaves one out), and fields behind them. */
export function request(
  pseudo: Readonly<Record<string, string | undefined>> = {},
  ...fields: readonly Pair[]
): Uint8Array {
  return block(...requestPairs(pseudo), ...fields);
}

/** As `request`, before it is coded. */
export function requestPairs(pseudo: Readonly<Record<string, string | undefined>> = {}): Pair[] {
  const named: Record<string, string | undefined> = {};
  for (const [name, value] of GET) named[name.slice(1)] = value;
  return Object.entries({ ...named, ...pseudo }).flatMap(([name, value]) =>
    value === undefined ? [] : [[`:${name}`, value] as const]
  );
}

export function get(path = "/", ...fields: readonly Pair[]): Uint8Array {
  return request({ path }, ...fields);
}

export function post(path = "/", ...fields: readonly Pair[]): Uint8Array {
  return request({ method: "POST", path }, ...fields);
}

export function response(status: string, ...fields: readonly Pair[]): Uint8Array {
  return block([":status", status], ...fields);
}
