import { assert, assertEquals } from "@std/assert";
import { Field } from "../../http/field.ts";
import { ByteWriter } from "../../lib/byte_writer.ts";
import { HpackDecoder } from "./decoder.ts";
import { HpackEncoder } from "./encoder.ts";
import { TestBlock } from "./test_block.ts";

const block = () => new TestBlock();

/** An encoder, and a decoder that must understand all that it wrote. */
class Subject {
  readonly encoder: HpackEncoder;
  readonly #decoder = new HpackDecoder({
    maxTableBytes: 65_536,
    maxListBytes: 1e6,
    maxFields: 1000,
  });

  constructor(maxTableBytes?: number) {
    this.encoder = new HpackEncoder(maxTableBytes);
  }

  encode(...fields: readonly Field[]): number[] {
    const out = new ByteWriter(1);
    this.encoder.begin(out);
    for (const field of fields) this.encoder.encode(out, field);
    const bytes = out.view().slice();
    const decoded = this.#decoder.decode(bytes, 0, bytes.length)!;
    assertEquals(
      decoded.map(({ name, value }) => [name, value]),
      fields.map((f) => [f.name, f.value]),
    );
    return [...bytes];
  }

  /** Encodes each field three times, by when it is in the table if it ever will be. */
  settle(...fields: readonly Field[]): number[] {
    for (let i = 0; i < 2; i++) this.encode(...fields);
    return this.encode(...fields);
  }
}

Deno.test("HpackEncoder writes a field in full, then into the table, then as one octet", () => {
  const subject = new Subject();
  const field = () => new Field("x-name", "value");
  assertEquals(subject.encode(field()), block().literal("x-name", "value").octets);
  const entry = block().literal("x-name", "value", { kind: "indexing", isHuffman: true }).octets;
  assertEquals(subject.encode(field()), entry);
  assertEquals(subject.encode(field()), [0xbe], "another object with the same text");
  const same = field();
  assertEquals([subject.encode(same), subject.encode(same)], [[0xbe], [0xbe]]);
});

Deno.test("HpackEncoder uses the static table for fields made anew, and for names", () => {
  const subject = new Subject();
  const [get, ok, post] = [[":method", "GET"], [":status", "200"], [":method", "POST"]] as const;
  assertEquals(subject.encode(new Field(...get), new Field(...ok), new Field(...post)), [
    0x82,
    0x88,
    0x83,
  ]);
  assertEquals(subject.encode(new Field(":status", "418")), block().literal(8, "418").octets);
  assertEquals(subject.encode(new Field(":authority", "")), [0x81]);
});

Deno.test("HpackEncoder finds its entries when others came since", () => {
  const subject = new Subject();
  const fields = Array.from({ length: 80 }, (_, i) => new Field(`x-${i}`, "v"));
  for (const field of fields) {
    subject.encode(field);
    subject.encode(field);
  }
  for (const [i, field] of fields.entries()) {
    assertEquals(subject.encode(field), block().indexed(61 + 80 - i).octets);
    assertEquals(
      subject.encode(new Field(field.name, field.value)),
      block().indexed(141 - i).octets,
    );
  }
});

Deno.test("HpackEncoder writes secrets as never indexed, each time in full", () => {
  const subject = new Subject();
  const token = new Field("authorization", "Bearer ".padEnd(50, "x"));
  const marked = new Field("x-key", "secret", true);
  const cookie = new Field("cookie", "session=1234567890");
  const expected = block().literal(23, token.value, { kind: "never" })
    .literal("x-key", "secret", { kind: "never" }).literal(32, cookie.value, { kind: "never" })
    .octets;
  for (let i = 0; i < 4; i++) assertEquals(subject.encode(token, marked, cookie), expected);
});

Deno.test("HpackEncoder keeps a secret apart from an equal field that is none", () => {
  const subject = new Subject();
  assertEquals(subject.settle(new Field("x-key", "a")), [0xbe]);
  const secret = block().literal(62, "a", { kind: "never" }).octets;
  assertEquals(subject.encode(new Field("x-key", "a", true)), secret);
});

Deno.test("HpackEncoder passes sensitivity on: what a decoder marked stays marked", () => {
  const decoder = new HpackDecoder({ maxTableBytes: 4096, maxListBytes: 4096, maxFields: 10 });
  const { bytes } = block().literal("x-key", "v", { kind: "never" });
  const subject = new Subject();
  for (let i = 0; i < 3; i++) {
    const fields = decoder.decode(bytes, 0, bytes.length)!;
    assertEquals(subject.encode(...fields), [...bytes]);
  }
});

Deno.test("HpackEncoder puts the name of what is of one message only into the table, and no second value", () => {
  const subject = new Subject();
  const traceparent = (n: number) => new Field("traceparent", `00-${n}`);
  subject.encode(traceparent(1));
  for (let n = 2; n < 5; n++) {
    assertEquals(subject.encode(traceparent(n)), block().literal(62, `00-${n}`).octets);
  }
  for (let n = 0; n < 3; n++) {
    assertEquals(subject.encode(new Field("age", "now")), block().literal(21, "now").octets);
  }
});

Deno.test("HpackEncoder does not fill its table with what comes once", () => {
  const subject = new Subject();
  const kept = new Field("x-kept", "1");
  assertEquals(subject.settle(kept), [0xbe]);
  for (let i = 0; i < 1000; i++) subject.encode(new Field("x-once", `value ${i}`));
  assertEquals(subject.encode(kept), [0xbe]);
});

Deno.test("HpackEncoder does not empty its table for a large field", () => {
  const subject = new Subject();
  const kept = new Field("x-kept", "1");
  assertEquals(subject.settle(kept), [0xbe]);
  subject.settle(new Field("x-large", "x".repeat(7000)), new Field("tracestate", "x".repeat(2000)));
  assertEquals(subject.encode(kept), [0xbe]);
  assertEquals(subject.settle(new Field("x-full", "x".repeat(986))), [0xbe], "a quarter of it");
  assert(subject.settle(new Field("x-over", "x".repeat(987))).length > 900);
});

Deno.test("HpackEncoder says the table's size with the next block, and once", () => {
  const subject = new Subject();
  const field = new Field("x-name", "v");
  assertEquals(subject.settle(field), [0xbe]);
  subject.encoder.setMaxTableSize(40);
  subject.encoder.setMaxTableSize(100);
  assertEquals(subject.encode(field), [...block().size(40).size(100).indexed(62).octets]);
  assertEquals(subject.encode(field), [0xbe]);
  subject.encoder.setMaxTableSize(0);
  subject.encoder.setMaxTableSize(4096);
  const literal = block().size(0).size(4096).literal("x-name", "v").octets;
  assertEquals(subject.encode(field), literal);
});

Deno.test("HpackEncoder says nothing of a size that does not change, nor of one above its own cap", () => {
  const subject = new Subject();
  for (const bytes of [4096, 65_536, 2 ** 32 - 1, 4096]) subject.encoder.setMaxTableSize(bytes);
  assertEquals(subject.encode(), []);
  const large = new Subject(8192);
  assertEquals(large.encode(), []);
  large.encoder.setMaxTableSize(2 ** 32 - 1);
  assertEquals(large.encode(), block().size(8192).octets);
  const small = new Subject(1024);
  assertEquals([small.encode(), small.encode()], [block().size(1024).octets, []]);
});

Deno.test("HpackEncoder works without a table", () => {
  const subject = new Subject(0);
  const field = new Field("x-name", "v");
  assertEquals(
    subject.encode(field, field),
    block().size(0).literal("x-name", "v").literal("x-name", "v").octets,
  );
  assertEquals(subject.settle(field), block().literal("x-name", "v").octets);
});

Deno.test("HpackEncoder shares fields with other encoders", () => {
  const [one, other] = [new Subject(), new Subject()];
  const [shared, own] = [new Field("x-shared", "1"), new Field("x-own", "1")];
  one.settle(shared);
  other.settle(shared, own);
  for (let i = 0; i < 3; i++) {
    assertEquals([one.encode(shared), other.encode(shared)], [[0xbe], [0xbf]]);
  }
});
