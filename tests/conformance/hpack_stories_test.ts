// Stories: series of header blocks on one connection, with the list that each must decode to. Ours are made by an encoder
// that knows only RFC 7541's words and chooses among all that they allow; HPACK_STORIES may name a folder of stories by
// other encoders (JSON files as in http2jp/hpack-test-case, at any depth), which then are told as well.
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { join } from "node:path";
import type { Field } from "../../sidecar/http/field.ts";
import { HpackDecoder } from "../../sidecar/http2/hpack/decoder.ts";
import { STATIC_FIELDS } from "../../sidecar/http2/hpack/static_table.ts";
import { fromHex, type LiteralKind, TestBlock } from "../../sidecar/http2/hpack/test_block.ts";

type Pair = readonly [name: string, value: string];

/** How a story's encoder decides, each by a number of its own. */
interface Choice {
  readonly kind: LiteralKind;
  readonly isHuffman: boolean;
  readonly usesIndex: boolean;
  readonly usesNameIndex: boolean;
}

/** The encoder of RFC 7541's text: its tables are one list of pairs that is searched from the front. */
class StoryEncoder {
  #dynamic: Pair[] = [];
  #maxBytes = 4096;

  get #entries(): Pair[] {
    const fixed = STATIC_FIELDS.slice(1).map(({ name, value }) => [name, value] as const);
    return [...fixed, ...this.#dynamic];
  }

  #evict(): void {
    const size = () =>
      this.#dynamic.reduce((sum, [name, value]) => sum + name.length + value.length + 32, 0);
    while (size() > this.#maxBytes) this.#dynamic.pop();
  }

  resize(block: TestBlock, bytes: number): void {
    block.size(bytes);
    this.#maxBytes = bytes;
    this.#evict();
  }

  encode(block: TestBlock, [name, value]: Pair, choice: Choice): void {
    const entries = this.#entries;
    const index = entries.findIndex((entry) => entry[0] === name && entry[1] === value) + 1;
    if (choice.usesIndex && index > 0) return void block.indexed(index);
    const nameIndex = entries.findLastIndex((entry) => entry[0] === name) + 1;
    const spelled = choice.usesNameIndex && nameIndex > 0 ? nameIndex : name;
    block.literal(spelled, value, choice);
    if (choice.kind !== "indexing") return;
    this.#dynamic.unshift([name, value]);
    this.#evict();
  }
}

// deno-fmt-ignore
const NAMES = [
  ":method", ":path", ":status", "accept", "cookie", "date", "user-agent", "x-a", "x-b", "grpc-status",
];
const VALUES = [
  "",
  "GET",
  "/",
  "/index.html",
  "200",
  "404",
  "0",
  "a=b; c=d",
  "Mozilla/5.0 (X11; Linux)",
];

const octets = fc.uint8Array({ maxLength: 60 }).map((bytes) => String.fromCharCode(...bytes));
const header = fc.tuple(
  fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...NAMES) }, { weight: 1, arbitrary: octets }),
  fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...VALUES) },
    { weight: 2, arbitrary: octets },
    { weight: 1, arbitrary: fc.nat(5000).map((length) => "v".repeat(length)) },
  ),
);
const choice: fc.Arbitrary<Choice> = fc.record({
  kind: fc.constantFrom("indexing", "indexing", "plain", "never"),
  isHuffman: fc.boolean(),
  usesIndex: fc.boolean(),
  usesNameIndex: fc.boolean(),
});
const sizes = fc.oneof(
  { weight: 5, arbitrary: fc.constant<number[]>([]) },
  { weight: 1, arbitrary: fc.array(fc.nat(8192), { minLength: 1, maxLength: 2 }) },
);
const cases = fc.array(
  fc.record({ sizes, fields: fc.array(fc.tuple(header, choice), { maxLength: 15 }) }),
  { minLength: 1, maxLength: 20 },
);

const LIMITS = { maxTableBytes: 8192, maxListBytes: 1e6, maxFields: 1000 };

function pairsOf(fields: readonly Field[] | null): Pair[] | undefined {
  return fields?.map(({ name, value }) => [name, value] as const);
}

Deno.test("stories made of every choice that RFC 7541 leaves to an encoder decode to what they tell", () => {
  const property = fc.property(cases, (cases) => {
    const [encoder, decoder] = [new StoryEncoder(), new HpackDecoder(LIMITS)];
    for (const { sizes, fields } of cases) {
      const block = new TestBlock();
      for (const size of sizes) encoder.resize(block, size);
      for (const [pair, choice] of fields) encoder.encode(block, pair, choice);
      const list = pairsOf(decoder.decode(block.bytes, 0, block.octets.length));
      assertEquals(list, fields.map(([pair]) => pair));
    }
  });
  fc.assert(property, { numRuns: 300, seed: 7541 });
});

interface Story {
  readonly cases: readonly {
    readonly wire: string;
    readonly headers: readonly Readonly<Record<string, string>>[];
    readonly header_table_size?: number;
  }[];
}

function tell(story: Story): void {
  const maxTableBytes = Math.max(...story.cases.map((told) => told.header_table_size ?? 4096));
  const decoder = new HpackDecoder({ ...LIMITS, maxTableBytes });
  for (const { wire, headers } of story.cases) {
    const bytes = fromHex(wire);
    const expected = headers.flatMap((header) => Object.entries(header));
    assertEquals(pairsOf(decoder.decode(bytes, 0, bytes.length)), expected);
  }
}

function findStories(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory) return findStories(path);
    return entry.name.endsWith(".json") ? [path] : [];
  });
}

const folder = Deno.env.get("HPACK_STORIES");
if (folder !== undefined) {
  Deno.test("the stories in HPACK_STORIES decode to what they tell", () => {
    const paths = findStories(folder);
    assert(paths.length > 0, `no story in ${folder}`);
    for (const path of paths) tell(JSON.parse(Deno.readTextFileSync(path)) as Story);
  });
}
