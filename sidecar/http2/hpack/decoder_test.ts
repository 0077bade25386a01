import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import type { Field } from "../../http/field.ts";
import { latin1 } from "../../lib/bytes.ts";
import { HpackDecoder, type HpackLimits } from "./decoder.ts";
import { HpackError } from "./hpack_error.ts";
import { octetsOf, TestBlock } from "./test_block.ts";

const LIMITS: HpackLimits = { maxTableBytes: 4096, maxListBytes: 65_536, maxFields: 100 };

const block = () => new TestBlock();

class Subject {
  readonly decoder: HpackDecoder;

  constructor(limits: Partial<HpackLimits> = {}) {
    this.decoder = new HpackDecoder({ ...LIMITS, ...limits });
  }

  fields(from: TestBlock): Field[] | null {
    return this.decoder.decode(from.bytes, 0, from.octets.length);
  }

  decode(from: TestBlock): string[] | undefined {
    return this.fields(from)?.map(({ name, value }) => `${name}: ${value}`);
  }

  refuses(from: TestBlock, message: string): void {
    assertThrows(() => this.fields(from), HpackError, message);
  }
}

Deno.test("HpackDecoder decodes every representation, spelled or by index, Huffman or not", () => {
  const subject = new Subject();
  for (const isHuffman of [false, true]) {
    for (const kind of ["indexing", "plain", "never"] as const) {
      const options = { kind, isHuffman };
      const list = block().literal("x-name", "v", options).literal(1, "a:1", options)
        .literal("x", "", options).literal("", "\xff\0", options);
      assertEquals(subject.decode(list), ["x-name: v", ":authority: a:1", "x: ", ": \xff\0"]);
    }
  }
});

Deno.test("HpackDecoder marks what may never be indexed, and nothing else", () => {
  const list = block().literal("a", "1", { kind: "never" }).literal("a", "1")
    .literal("a", "1", { kind: "indexing" }).indexed(62).indexed(2).literal(32, "x", {
      kind: "never",
    });
  const marks = new Subject().fields(list)?.map(({ isSensitive }) => isSensitive);
  assertEquals(marks, [true, false, false, false, false, true]);
});

Deno.test("HpackDecoder gives the same object for the same entry, and a list that is the caller's", () => {
  const subject = new Subject();
  subject.fields(block().literal("a", "1", { kind: "indexing" }));
  const again = block().indexed(62).indexed(2).literal("c", "d");
  const lists = Array.from({ length: 5 }, () => subject.fields(again)!);
  const [first, second] = lists[0]!;
  for (const list of lists) {
    assertStrictEquals(list[0], first);
    assertStrictEquals(list[1], second);
    assertEquals(list.length, 3, "a list does not see what was done to another");
    list.length = 0;
  }
});

Deno.test("HpackDecoder reads from start to end only", () => {
  const bytes = Uint8Array.from([0xff, 0x82, 0x84, 0xff]);
  const names = new HpackDecoder(LIMITS).decode(bytes, 1, 3)?.map(({ name }) => name);
  assertEquals(names, [":method", ":path"]);
  assertEquals(new HpackDecoder(LIMITS).decode(bytes, 2, 2), []);
});

Deno.test("HpackDecoder does not keep the bytes: what it gave stays when they are written over", () => {
  const bytes = block().literal("x-name", "value-1", { kind: "indexing" }).bytes;
  const fields = new HpackDecoder(LIMITS).decode(bytes, 0, bytes.length)!;
  bytes.fill(0);
  assertEquals([fields[0]!.name, fields[0]!.value], ["x-name", "value-1"]);
});

Deno.test("HpackDecoder refuses an index that nothing stands at", () => {
  new Subject().refuses(block().indexed(0), "index 0");
  new Subject().refuses(block().indexed(62), "beyond the table");
  for (const kind of ["indexing", "plain", "never"] as const) {
    new Subject().refuses(block().literal(62, "x", { kind }), "beyond the table");
    new Subject().refuses(block().literal(2 ** 27, "x", { kind }), "beyond the table");
  }
  const subject = new Subject();
  subject.decode(block().literal("a", "1", { kind: "indexing" }));
  assertEquals(subject.decode(block().indexed(62)), ["a: 1"]);
  subject.refuses(block().indexed(63), "beyond the table");
});

Deno.test("HpackDecoder refuses a block that ends anywhere within a field", () => {
  const long = "x".repeat(200);
  for (const isHuffman of [false, true]) {
    for (const kind of ["indexing", "plain", "never"] as const) {
      const { bytes } = block().literal("x-name", long, { kind, isHuffman });
      for (let end = 1; end < bytes.length; end++) {
        const decoder = new HpackDecoder(LIMITS);
        assertThrows(() => decoder.decode(bytes, 0, end), HpackError, "ends within");
      }
    }
  }
  for (const octets of [[0xff], [0xff, 0x80], [0x3f], [0x3f, 0xff], [0x7f], [0x0f, 0x80]]) {
    new Subject().refuses(block().raw(...octets), "ends within");
  }
});

Deno.test("HpackDecoder takes integers of up to four octets behind the prefix, and refuses longer ones", () => {
  const subject = new Subject();
  // 31 in a prefix of 5 bits and zeros behind it: a table of 31 bytes.
  assertEquals(subject.decode(block().raw(0x3f, 0x80, 0x80, 0x80, 0x00)), []);
  for (const last of [0x00, 0x01, 0x7f, 0x80, 0xff]) {
    subject.refuses(block().raw(0x3f, 0x80, 0x80, 0x80, 0x80, last), "more octets than we take");
    subject.refuses(block().raw(0xff, 0xff, 0xff, 0xff, 0xff, last), "more octets than we take");
    subject.refuses(block().raw(0x00, 0x7f, 0xff, 0xff, 0xff, 0xff, last), "more octets");
  }
  subject.refuses(block().raw(0xff, 0xff, 0xff, 0xff, 0x7f), "beyond the table");
  subject.refuses(block().raw(0x00, 0x7f, 0xff, 0xff, 0xff, 0x7f), "ends within");
  subject.refuses(block().raw(0x3f, 0xff, 0xff, 0xff, 0x7f), "above our limit");
});

Deno.test("HpackDecoder refuses a size update behind a field or above our limit", () => {
  new Subject().refuses(block().indexed(2).size(100), "behind a field");
  new Subject().refuses(block().size(4097), "above our limit");
  new Subject({ maxTableBytes: 0 }).refuses(block().size(1), "above our limit");
  const subject = new Subject({ maxTableBytes: 65_536 });
  assertEquals(subject.decode(block().size(0).size(65_536).indexed(2)), [":method: GET"]);
  assertEquals(subject.decode(block().size(10)), []);
});

Deno.test("HpackDecoder evicts by size updates, and begins with 4096 bytes whatever our limit is", () => {
  const subject = new Subject({ maxTableBytes: 65_536 });
  const add = (value: string) => block().literal("a", value, { kind: "indexing" });
  for (const value of ["x".repeat(2000), "y".repeat(2000)]) subject.decode(add(value));
  assertEquals(subject.decode(block().indexed(63))?.length, 1);
  subject.decode(add("z"));
  subject.refuses(block().indexed(64), "beyond the table");
  const other = new Subject();
  other.decode(add("1"));
  other.decode(add("2"));
  assertEquals(other.decode(block().size(34).indexed(62)), ["a: 2"]);
  other.refuses(block().indexed(63), "beyond the table");
});

Deno.test("HpackDecoder refuses EOS and wrong padding in names and values", () => {
  const eos = octetsOf("1".repeat(30));
  const longPadding = [...octetsOf("00000"), 0xff];
  const zeros = octetsOf("00000000");
  for (const octets of [eos, longPadding, zeros]) {
    const text = block().integer(0x80, 7, octets.length).raw(...octets).octets;
    new Subject().refuses(block().raw(0x40, ...text).string("x"), "Huffman");
    new Subject().refuses(block().raw(0x41, ...text), "Huffman");
    new Subject().refuses(block().raw(0x00).string("x").raw(...text), "Huffman");
  }
});

Deno.test("HpackDecoder unpacks a Huffman string of any length", () => {
  const all = latin1(Uint8Array.from({ length: 256 }, (_, i) => i), 0, 256);
  const long = all.repeat(100);
  const subject = new Subject();
  assertEquals(subject.decode(block().literal("a", long, { isHuffman: true })), [`a: ${long}`]);
  assertEquals(subject.decode(block().literal("a", all, { isHuffman: true })), [`a: ${all}`]);
});

Deno.test("HpackDecoder counts a list as RFC 9113 6.5.2 does, and fields of any kind", () => {
  const subject = new Subject({ maxListBytes: 100, maxFields: 3 });
  const fits = block().literal("a", "x".repeat(34)).literal("b", "");
  const over = block().literal("a", "x".repeat(34)).literal("b", "1");
  assertEquals(subject.fields(fits)?.length, 2);
  assertEquals(subject.fields(over), null);
  assertEquals(subject.fields(block().literal("a", "x".repeat(35)).literal("b", "")), null);
  const few = new Subject({ maxFields: 3 });
  assertEquals(few.fields(block().indexed(2).indexed(2).literal("a", ""))?.length, 3);
  assertEquals(few.fields(block().indexed(2).indexed(2).literal("a", "").indexed(2)), null);
});

Deno.test("HpackDecoder keeps the table in step through lists that are over the limits", () => {
  const subject = new Subject({ maxListBytes: 200 });
  const over = block().literal("first", "1", { kind: "indexing" })
    .literal("plain", "x".repeat(300), { isHuffman: true })
    .literal("second", "2", { kind: "indexing", isHuffman: true })
    .literal(62, "3", { kind: "indexing" });
  assertEquals(subject.fields(over), null);
  const table = block().indexed(62).indexed(63).indexed(64);
  assertEquals(subject.decode(table), ["second: 3", "second: 2", "first: 1"]);
  subject.refuses(block().indexed(65), "beyond the table");
});

Deno.test("HpackDecoder finds errors also behind the point where a list was over its limits", () => {
  const subject = () => new Subject({ maxListBytes: 40 });
  const over = () => block().literal("a", "x".repeat(100));
  subject().refuses(over().indexed(62), "beyond the table");
  subject().refuses(over().raw(0x00).string("a").raw(0x81, 0x00), "Huffman");
  subject().refuses(over().size(1), "behind a field");
});

Deno.test("HpackDecoder empties its table for an entry that is larger than it", () => {
  const subject = new Subject();
  subject.decode(block().literal("a", "1", { kind: "indexing" }));
  const huge = "x".repeat(7000);
  assertEquals(subject.decode(block().literal("b", huge, { kind: "indexing" })), [`b: ${huge}`]);
  subject.refuses(block().indexed(62), "beyond the table");
});

Deno.test("HpackDecoder forgets repeated blocks when an entry of 7 KB empties the table", () => {
  const subject = new Subject();
  subject.decode(block().literal("a", "1", { kind: "indexing" }));
  for (let i = 0; i < 4; i++) assertEquals(subject.decode(block().indexed(62)), ["a: 1"]);
  subject.decode(block().literal("b", "x".repeat(7000), { kind: "indexing" }));
  subject.refuses(block().indexed(62), "beyond the table");
});

Deno.test("HpackDecoder forgets repeated blocks when a size update evicts or an entry comes", () => {
  const subject = new Subject();
  subject.decode(block().literal("a", "1", { kind: "indexing" }));
  for (let i = 0; i < 4; i++) assertEquals(subject.decode(block().indexed(62)), ["a: 1"]);
  subject.decode(block().literal("b", "2", { kind: "indexing" }));
  for (let i = 0; i < 4; i++) assertEquals(subject.decode(block().indexed(62)), ["b: 2"]);
  subject.decode(block().size(0));
  subject.refuses(block().indexed(62), "beyond the table");
});

Deno.test("HpackDecoder applies a size update each time its block comes", () => {
  const subject = new Subject();
  const clear = block().size(0).size(4096).literal("c", "d");
  for (let i = 0; i < 5; i++) {
    subject.decode(block().literal("a", String(i), { kind: "indexing" }));
    assertEquals(subject.decode(clear), ["c: d"]);
    assertEquals(subject.decode(block().literal("b", "", { kind: "indexing" }).indexed(62)), [
      "b: ",
      "b: ",
    ]);
  }
});

Deno.test("HpackDecoder answers a bomb of references with one list within its limits", () => {
  const subject = new Subject({ maxFields: 1000 });
  subject.decode(block().literal("a", "x".repeat(4000), { kind: "indexing" }));
  const references = (count: number) => block().raw(...new Array<number>(count).fill(0xbe));
  const most = Math.floor(LIMITS.maxListBytes / 4033);
  const list = subject.fields(references(most));
  assertEquals(list?.length, most);
  assertEquals(new Set(list).size, 1, "one string, however often it is referred to");
  assertEquals(subject.fields(references(most + 1)), null);
  assertEquals(subject.fields(references(100_000)), null);
  assert(subject.fields(block().indexed(62)) !== null);
});
