// Fields through encoder and decoder: the same name, value and sensitivity, block after block, whatever the table's size
// does in between, and through a chain of both as a proxy has it.
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Field } from "../../sidecar/http/field.ts";
import { HpackDecoder } from "../../sidecar/http2/hpack/decoder.ts";
import { HpackEncoder } from "../../sidecar/http2/hpack/encoder.ts";
import { ByteWriter } from "../../sidecar/lib/byte_writer.ts";

const RUNS = 500;
const LIMITS = { maxTableBytes: 65_536, maxListBytes: 1e6, maxFields: 1000 };

const octets = fc.uint8Array({ maxLength: 80 }).map((bytes) => String.fromCharCode(...bytes));
const name = fc.oneof(
  fc.constantFrom(":method", ":path", ":status", "cookie", "authorization", "traceparent", "date"),
  fc.constantFrom("x-a", "x-b", "x-c"),
  octets,
);
const value = fc.oneof(
  fc.constantFrom(
    "",
    "GET",
    "/",
    "200",
    "1",
    "a long value that is worth its place",
    "x".repeat(900),
  ),
  octets,
);
const field = fc.tuple(name, value, fc.integer({ min: 0, max: 9 }))
  .map(([name, value, luck]) => new Field(name, value, luck === 0));
const story = fc.array(
  fc.record({
    sizes: fc.array(fc.nat(9000), { maxLength: 3 }).map((sizes) => sizes.length === 3 ? sizes : []),
    /** Indexes into a pool of fields, so that objects repeat. */
    picks: fc.array(fc.nat(29), { maxLength: 12 }),
  }),
  { maxLength: 30 },
);
const pool = fc.array(field, { minLength: 1, maxLength: 30 });

/** One direction of one connection. */
class Hop {
  readonly encoder: HpackEncoder;
  readonly #decoder = new HpackDecoder(LIMITS);

  constructor(cap: number) {
    this.encoder = new HpackEncoder(cap);
  }

  pass(fields: readonly Field[]): Field[] {
    const out = new ByteWriter(1);
    this.encoder.begin(out);
    for (const field of fields) this.encoder.encode(out, field);
    return this.#decoder.decode(out.bytes, 0, out.length)!;
  }
}

function plain(fields: readonly Field[]): unknown[] {
  return fields.map(({ name, value, id }) => [name, value, id]);
}

/** What was sensitive stays so; secrets may become so. */
function lost(sent: readonly Field[], received: readonly Field[]): boolean {
  return sent.some(({ isSensitive }, i) => isSensitive && !received[i]!.isSensitive);
}

Deno.test("what HpackEncoder writes HpackDecoder reads, over three hops in a row", () => {
  fc.assert(
    fc.property(pool, story, fc.constantFrom(0, 100, 4096, 8192), (pool, story, cap) => {
      const hops = [new Hop(4096), new Hop(cap), new Hop(4096)];
      for (const { sizes, picks } of story) {
        for (const size of sizes) hops[1]!.encoder.setMaxTableSize(size);
        const sent = picks.map((pick) => pool[pick % pool.length]!);
        let fields: readonly Field[] = sent;
        for (const hop of hops) fields = hop.pass(fields);
        assertEquals(plain(fields), plain(sent));
        assertEquals(lost(sent, fields), false);
      }
    }),
    { numRuns: RUNS },
  );
});

Deno.test("fields may be left out, moved and added between two hops, which share them by identity", () => {
  fc.assert(
    fc.property(pool, story, field, (pool, story, added) => {
      const [inner, outer] = [new Hop(4096), new Hop(4096)];
      for (const { picks } of story) {
        const fields = inner.pass(picks.map((pick) => pool[pick % pool.length]!));
        const changed = [...fields.filter((_, i) => i % 3 !== 1).reverse(), added];
        assertEquals(plain(outer.pass(changed)), plain(changed));
      }
    }),
    { numRuns: RUNS },
  );
});
