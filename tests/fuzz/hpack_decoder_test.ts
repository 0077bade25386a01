// The HPACK decoder under bytes that nobody chose: an HpackError or a list within the limits, and nothing else.
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { HpackDecoder } from "../../sidecar/http2/hpack/decoder.ts";
import { HpackError } from "../../sidecar/http2/hpack/hpack_error.ts";
import { type LiteralKind, TestBlock } from "../../sidecar/http2/hpack/test_block.ts";

const RUNS = 3000;
const LIMITS = { maxTableBytes: 4096, maxListBytes: 2000, maxFields: 20 };

/** What a block may hold: representations right and wrong, and what is none. */
const octets = fc.uint8Array({ maxLength: 12 });
const text = octets.map((bytes) => String.fromCharCode(...bytes));
const kind = fc.constantFrom<LiteralKind>("indexing", "plain", "never");
const name = fc.oneof(text, fc.constantFrom("a", "x-name"), fc.nat(70));
const piece = fc.oneof(
  { weight: 4, arbitrary: fc.nat(70).map((index) => new TestBlock().indexed(index).octets) },
  {
    weight: 4,
    arbitrary: fc.tuple(name, text, kind, fc.boolean()).map(([name, value, kind, isHuffman]) =>
      new TestBlock().literal(name, value, { kind, isHuffman }).octets
    ),
  },
  { weight: 1, arbitrary: fc.nat(4200).map((size) => new TestBlock().size(size).octets) },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.nat(255), octets).map(([first, bytes]) => [first, ...bytes]),
  },
);
const blocks = fc.array(fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.flat()), {
  minLength: 1,
  maxLength: 6,
});

/** What the block decodes to as lines; "null" over the limits, "error" at the connection's end. */
function outcome(decoder: HpackDecoder, bytes: Uint8Array): string {
  try {
    const list = decoder.decode(bytes, 0, bytes.length);
    if (list === null) return "null";
    const size = list.reduce((sum, field) => sum + field.size, 0);
    assert(size <= LIMITS.maxListBytes && list.length <= LIMITS.maxFields, "over the limits");
    return JSON.stringify(list.map(({ name, value, isSensitive }) => [name, value, isSensitive]));
  } catch (error) {
    assert(error instanceof HpackError, String(error));
    return "error";
  }
}

Deno.test("HpackDecoder throws nothing but HpackError, and gives nothing over its limits", () => {
  fc.assert(
    fc.property(blocks, (blocks) => {
      const decoder = new HpackDecoder(LIMITS);
      for (const block of blocks) {
        if (outcome(decoder, Uint8Array.from(block)) === "error") break;
      }
    }),
    { numRuns: RUNS },
  );
});

Deno.test("HpackDecoder gives the same for a block that repeats, as long as the table stays as it is", () => {
  fc.assert(
    fc.property(blocks, fc.array(fc.nat(5), { maxLength: 40 }), (blocks, order) => {
      // The reference gets each block behind 300 static fields: too long to be taken for one that came before.
      const [subject, reference] = [new HpackDecoder(WIDE), new HpackDecoder(WIDE)];
      for (const index of order) {
        const block = blocks[index % blocks.length]!;
        const cut = block.findIndex((octet) => (octet & 0xe0) !== 0x20);
        if (cut !== 0) continue; // size updates stand in front of everything
        const padding = new Array<number>(300).fill(0x82);
        const expected = wide(reference, Uint8Array.from([...padding, ...block]), 300);
        assertEquals(wide(subject, Uint8Array.from(block), 0), expected);
        if (expected === "error") break;
      }
    }),
    { numRuns: RUNS },
  );
});

const WIDE = { maxTableBytes: 4096, maxListBytes: 1e6, maxFields: 10_000 };

function wide(decoder: HpackDecoder, bytes: Uint8Array, skip: number): string {
  try {
    const list = decoder.decode(bytes, 0, bytes.length)!.slice(skip);
    return JSON.stringify(list.map(({ name, value, isSensitive }) => [name, value, isSensitive]));
  } catch (error) {
    assert(error instanceof HpackError, String(error));
    return "error";
  }
}
