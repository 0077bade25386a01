// RFC 7541 as a decoder must hold to it: what cannot be decoded ends the connection (RFC 9113 4.3).
import {
  block,
  GET,
  get,
  huffman,
  indexed,
  integer,
  literal,
  named,
  NEWEST,
  post,
  tableSize,
  text,
} from "../../../support/h2/block.ts";
import { answered, answers, breaks, type H2Case, malformed } from "../../../support/h2/case.ts";
import { bytes, data, headers, OPEN, type Piece, SETTING } from "../../../support/h2/frames.ts";
import type { View } from "../../../support/h2/view.ts";

const BROKEN = breaks("COMPRESSION_ERROR");

/** Such a value stands behind what is otherwise a request. */
function value(coded: Uint8Array): Uint8Array {
  return headers(1, bytes(get(), 0x00, text("x"), coded));
}

/** So many continuation octets that only say that more follow. */
function endless(count: number): Uint8Array {
  return new Uint8Array(count).fill(0x80);
}

function behind(...pieces: readonly Piece[]): Uint8Array {
  return headers(1, bytes(get(), ...pieces));
}

const INTEGERS: readonly H2Case[] = [
  BROKEN("RFC 7541 6.1", "index 0", behind(0x80)),
  BROKEN("RFC 7541 2.3.3", "the first index behind an empty table", behind(indexed(NEWEST))),
  BROKEN("RFC 7541 2.3.3", "an index far behind the table", behind(indexed(1_000_000))),
  BROKEN("RFC 7541 2.3.3", "a name's index behind the table", behind(named(NEWEST, "y"))),
  BROKEN(
    "RFC 7541 2.3.3",
    "a name's index behind the table, to be remembered",
    behind(named(NEWEST, "y", "incremental")),
  ),
  BROKEN("RFC 7541 5.1", "an index that is cut off", behind(0xff)),
  BROKEN("RFC 7541 5.1", "an index that is cut off later", behind(0xff, 0x80, 0x80)),
  BROKEN("RFC 7541 5.1", "an index above 2^32", behind(0xff, "\xff\xff\xff\xff\x7f")),
  BROKEN("RFC 7541 5.1", "an index above 2^64", behind(0xff, "\xff".repeat(9), 0x7f)),
  BROKEN(
    "RFC 7541 5.1",
    "an index that wraps to 2 in 32 bits",
    behind(integer(7, 0x80, 2 ** 32 + 2)),
  ),
  BROKEN("RFC 7541 5.1", "an index of endless zeros", behind(0xff, endless(1000), 0x00)),
  BROKEN(
    "RFC 7541 5.1",
    "a length that wraps to 1 in 32 bits",
    value(bytes(integer(7, 0, 2 ** 32 + 1), "y")),
  ),
  BROKEN(
    "RFC 7541 5.1",
    "a length that is negative in 32 bits",
    value(bytes(integer(7, 0, 2 ** 31 + 1), "y")),
  ),
];

const STRINGS: readonly H2Case[] = [
  BROKEN("RFC 7541 5.2", "a literal without a name", behind(0x00)),
  BROKEN("RFC 7541 5.2", "a literal without a value", behind(0x00, text("x"))),
  BROKEN("RFC 7541 5.2", "a name longer than its block", behind(0x00, 5, "x")),
  BROKEN("RFC 7541 5.2", "a value longer than its block", value(bytes(5, "y"))),
  BROKEN(
    "RFC 7541 5.2",
    "a value of almost 2^31 bytes",
    value(bytes(integer(7, 0, 2 ** 31 - 1), "y")),
  ),
  BROKEN(
    "RFC 7541 5.2",
    "Huffman: the end of string is in it",
    value(huffman(bytes("\xff\xff\xff\xff"))),
  ),
  BROKEN(
    "RFC 7541 5.2",
    "Huffman: the end of string behind a letter",
    value(huffman(bytes("\x1f\xff\xff\xff\xff"))),
  ),
  BROKEN("RFC 7541 5.2", "Huffman: padding of a whole byte", value(huffman(bytes("\x1f\xff")))),
  BROKEN("RFC 7541 5.2", "Huffman: padding of nothing else", value(huffman(bytes("\xff")))),
  BROKEN("RFC 7541 5.2", "Huffman: padding that is not ones", value(huffman(bytes("\x18")))),
  BROKEN("RFC 7541 5.2", "Huffman: a code that is cut off", value(huffman(bytes("\xff\xfe")))),
  BROKEN(
    "RFC 7541 5.2",
    "Huffman in a name: padding that is not ones",
    behind(0x00, huffman(bytes("\x18")), text("y")),
  ),
  answers("RFC 7541 5.2", "Huffman: right padding", value(huffman(bytes("\x1f")))),
  answers("RFC 7541 5.2", "Huffman: no byte at all", value(huffman(bytes()))),
];

/** One more than the server lets an encoder use. */
function tooLarge({ settings }: View): Uint8Array {
  return headers(1, bytes(tableSize((settings.get(SETTING.headerTableSize) ?? 4096) + 1), get()));
}

const TABLE: readonly H2Case[] = [
  BROKEN("RFC 7541 6.3", "a table larger than allowed", tooLarge),
  BROKEN("RFC 7541 6.3", "a table of 2^40", headers(1, bytes(tableSize(2 ** 40), get()))),
  BROKEN(
    "RFC 7541 4.2",
    "a table's size behind the first field",
    headers(1, bytes(block(GET[0]!), tableSize(100), block(...GET.slice(1)))),
  ),
  BROKEN("RFC 7541 4.2", "a table's size at the end of a block", behind(tableSize(100))),
  BROKEN(
    "RFC 7541 4.2",
    "what a smaller table forgot",
    headers(1, bytes(get(), literal("x", "y", "incremental"))),
    { over: 1 },
    headers(3, bytes(tableSize(0), get(), indexed(NEWEST))),
  ),
  {
    ...answers(
      "RFC 7541 4.2",
      "a table of no size and of its old size again",
      headers(1, bytes(get(), literal("x", "y", "incremental"))),
      { over: 1 },
      headers(3, bytes(tableSize(0), tableSize(4096), get(), literal("z", "y", "incremental"))),
      { over: 3 },
      headers(5, bytes(get(), indexed(NEWEST))),
    ),
    allowed: [answered("200", 5)],
  },
  BROKEN(
    "RFC 7541 4.4",
    "what a field larger than the table threw out",
    headers(1, bytes(get(), literal("x", "y", "incremental"))),
    { over: 1 },
    headers(3, bytes(get(), literal("x", "y".repeat(4096), "incremental"))),
    { over: 3 },
    headers(5, bytes(get(), indexed(NEWEST))),
  ),
  {
    ...answers(
      "RFC 7541 2.3.2",
      "a field evicted by its own successor, whose name it gives",
      headers(1, bytes(tableSize(40), get(), literal("x", "y".repeat(7), "incremental"))),
      { over: 1 },
      headers(3, bytes(get(), named(NEWEST, "z".repeat(7), "incremental"), indexed(NEWEST))),
    ),
    allowed: [answered("200", 3)],
  },
  malformed("RFC 7541 6.3", "a block of nothing but a table's size", headers(1, tableSize(100))),
  malformed("4.3", "a block without a byte", headers(1, "")),
];

const PLACES: readonly H2Case[] = [
  BROKEN(
    "4.3",
    "trailers that cannot be decoded",
    headers(1, post(), OPEN),
    data(1, "x"),
    headers(1, indexed(NEWEST)),
  ),
  BROKEN(
    "4.3",
    "a block that cannot be decoded, for a stream that was reset",
    headers(1, get("/", ["X", "y"]), OPEN),
    { over: 1 },
    headers(1, indexed(NEWEST)),
  ),
  answers(
    "RFC 7541 6.2",
    "every representation of one request",
    headers(
      1,
      bytes(
        indexed(2),
        indexed(6),
        indexed(4),
        named(1, "a", "never"),
        literal("x-a", "1", "incremental"),
        literal("x-b", "2", "never"),
        literal("x-c", "3"),
        indexed(NEWEST),
      ),
    ),
  ),
];

export const COMPRESSION: readonly H2Case[] = [...INTEGERS, ...STRINGS, ...TABLE, ...PLACES];
