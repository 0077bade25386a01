// The examples of RFC 7541 appendix C, byte for byte, with the dynamic table as it must be after each.
import { assertEquals } from "@std/assert";
import { Field } from "../../http/field.ts";
import { ByteWriter } from "../../lib/byte_writer.ts";
import { HpackDecoder } from "./decoder.ts";
import { HpackEncoder } from "./encoder.ts";
import { fromHex, TestBlock } from "./test_block.ts";

type Pair = readonly [name: string, value: string];

interface Step {
  readonly hex: string;
  readonly list: readonly Pair[];
  /** The table behind it, newest first. */
  readonly table: readonly Pair[];
}

const LIMITS = { maxTableBytes: 4096, maxListBytes: 65_536, maxFields: 100 };

const AUTHORITY: Pair = [":authority", "www.example.com"];
const NO_CACHE: Pair = ["cache-control", "no-cache"];
const CUSTOM: Pair = ["custom-key", "custom-value"];
const FIRST: readonly Pair[] = [[":method", "GET"], [":scheme", "http"], [":path", "/"], AUTHORITY];
const THIRD: readonly Pair[] = [
  [":method", "GET"],
  [":scheme", "https"],
  [":path", "/index.html"],
  AUTHORITY,
  CUSTOM,
];

function requests(first: string, second: string, third: string): Step[] {
  return [
    { hex: first, list: FIRST, table: [AUTHORITY] },
    { hex: second, list: [...FIRST, NO_CACHE], table: [NO_CACHE, AUTHORITY] },
    { hex: third, list: THIRD, table: [CUSTOM, NO_CACHE, AUTHORITY] },
  ];
}

const STATUS_302: Pair = [":status", "302"];
const STATUS_307: Pair = [":status", "307"];
const PRIVATE: Pair = ["cache-control", "private"];
const DATE_21: Pair = ["date", "Mon, 21 Oct 2013 20:13:21 GMT"];
const DATE_22: Pair = ["date", "Mon, 21 Oct 2013 20:13:22 GMT"];
const LOCATION: Pair = ["location", "https://www.example.com"];
const GZIP: Pair = ["content-encoding", "gzip"];
const COOKIE: Pair = [
  "set-cookie",
  "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
];

function responses(first: string, second: string, third: string): Step[] {
  return [
    {
      hex: first,
      list: [STATUS_302, PRIVATE, DATE_21, LOCATION],
      table: [LOCATION, DATE_21, PRIVATE, STATUS_302],
    },
    {
      hex: second,
      list: [STATUS_307, PRIVATE, DATE_21, LOCATION],
      table: [STATUS_307, LOCATION, DATE_21, PRIVATE],
    },
    {
      hex: third,
      list: [[":status", "200"], PRIVATE, DATE_22, LOCATION, GZIP, COOKIE],
      table: [COOKIE, GZIP, DATE_22],
    },
  ];
}

function pairs(fields: readonly Field[] | null): Pair[] | undefined {
  return fields?.map(({ name, value }) => [name, value] as const);
}

/** Decodes the steps on one decoder, and looks at the table by asking for each of its indexes. */
function check(steps: readonly Step[], tableBytes?: number): void {
  const decoder = new HpackDecoder(LIMITS);
  const decode = (bytes: Uint8Array) => pairs(decoder.decode(bytes, 0, bytes.length));
  if (tableBytes !== undefined) decode(new TestBlock().size(tableBytes).bytes);
  for (const { hex, list, table } of steps) {
    assertEquals(decode(fromHex(hex)), [...list], hex);
    const probe = new TestBlock();
    for (let i = 0; i < table.length; i++) probe.indexed(62 + i);
    assertEquals(decode(probe.bytes), [...table], hex);
  }
}

Deno.test("RFC 7541 C.2: each representation of a field", () => {
  const custom: Pair = ["custom-key", "custom-header"];
  check([{
    hex: "400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572",
    list: [custom],
    table: [custom],
  }]);
  check([{
    hex: "040c 2f73 616d 706c 652f 7061 7468",
    list: [[":path", "/sample/path"]],
    table: [],
  }]);
  const secret = "1008 7061 7373 776f 7264 0673 6563 7265 74";
  check([{ hex: secret, list: [["password", "secret"]], table: [] }]);
  check([{ hex: "82", list: [[":method", "GET"]], table: [] }]);
});

Deno.test("RFC 7541 C.3: requests without Huffman coding", () => {
  check(requests(
    "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
    "8286 84be 5808 6e6f 2d63 6163 6865",
    "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
  ));
});

Deno.test("RFC 7541 C.4: requests with Huffman coding", () => {
  check(requests(
    "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
    "8286 84be 5886 a8eb 1064 9cbf",
    "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
  ));
});

Deno.test("RFC 7541 C.5: responses without Huffman coding, with eviction from a table of 256 bytes", () => {
  check(
    responses(
      "4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a " +
        "3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
      "4803 3330 37c1 c0bf",
      "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 " +
        "677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 " +
        "553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31",
    ),
    256,
  );
});

Deno.test("RFC 7541 C.6: responses with Huffman coding, with eviction from a table of 256 bytes", () => {
  check(
    responses(
      "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e " +
        "919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
      "4883 640e ffc1 c0bf",
      "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 " +
        "821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed " +
        "4ee5 b106 3d50 07",
    ),
    256,
  );
});

Deno.test("HpackEncoder writes the appendix's bytes where its policy chooses the same representation", () => {
  const encoder = new HpackEncoder();
  const encode = (...fields: Field[]) => {
    const out = new ByteWriter();
    encoder.begin(out);
    for (const field of fields) encoder.encode(out, field);
    return [...out.view()];
  };
  assertEquals(encode(new Field(":method", "GET")), [0x82]);
  const path = new Field(":path", "/sample/path");
  assertEquals(encode(path), [...fromHex("040c 2f73 616d 706c 652f 7061 7468")]);
  const secret = new Field("password", "secret", true);
  assertEquals(encode(secret), [...fromHex("1008 7061 7373 776f 7264 0673 6563 7265 74")]);
  const first = () => FIRST.map(([name, value]) => new Field(name, value));
  encode(...first());
  assertEquals(encode(...first()), [...fromHex("8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff")]);
  assertEquals(encode(...first()), [0x82, 0x86, 0x84, 0xbe]);
});
