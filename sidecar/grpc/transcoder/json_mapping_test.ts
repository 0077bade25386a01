// Every row of protobuf.dev's table "ProtoJSON format", in both directions, through the transcoder.
import type { JsonObject } from "@bufbuild/protobuf";
import { assertEquals, assertRejects } from "@std/assert";
import { ProxyError } from "../../errors.ts";
import { bytesOf, utf8Of } from "../test_messages.ts";
import { ALL, answer, encode, received, send } from "./test_service.ts";

/** What is sent, and what it is in its one canonical form, where that differs. */
const ACCEPTED: [string, JsonObject, JsonObject?][] = [
  ["int32 as number or string", { aInt32: "-7" }, { aInt32: -7 }],
  ["int32 with an exponent", { aInt32: 1e2 }, { aInt32: 100 }],
  ["int64 as string", { aInt64: "9223372036854775807" }],
  ["int64 as number", { aInt64: 5, aSint64: -5 }, { aInt64: "5", aSint64: "-5" }],
  ["uint64 to its end", { aUint64: "18446744073709551615", aFixed64: "1" }],
  ["uint32 to its end", { aUint32: 4294967295 }],
  ["double", { aDouble: 1.5 }],
  ["double as string", { aDouble: "1.5e3" }, { aDouble: 1500 }],
  ["what JSON has no numbers for", { aDouble: "NaN", aFloat: "-Infinity" }],
  ["minus zero is a value", { aDouble: -0 }],
  ["bool", { aBool: true }],
  ["string", { aString: "ü😀\u0000" }],
  ["bytes in base64", { aBytes: "+/8=" }],
  ["bytes in base64url, without padding", { aBytes: "-_8" }, { aBytes: "+/8=" }],
  ["enum by name", { color: "DARK_BLUE" }],
  ["enum by number", { color: 1 }, { color: "RED" }],
  ["enum by a number without a name", { color: 77 }],
  ["message", { inner: { inner: { aInt32: 1 } } }],
  ["list", { numbers: ["1", 2], colors: ["RED", 2] }, {
    numbers: ["1", "2"],
    colors: ["RED", "DARK_BLUE"],
  }],
  ["list of messages", { items: [{ aBool: true }, {}] }],
  ["maps with keys of each kind", {
    counts: { a: "1", "": "2" },
    byId: { "-5": { aBool: true } },
    byFlag: { true: "yes" },
  }],
  ["oneof", { number: 0 }],
  ["oneof of an empty message", { nothing: {} }],
  ["optional with its default", { maybe: 0 }],
  ["the schema's names are read too", { a_int32: 1, by_flag: { false: "" } }, {
    aInt32: 1,
    byFlag: { false: "" },
  }],
  ["a json_name of its own", { "@custom": "x" }],
  ["the schema's name beside a json_name", { custom_name: "x" }, { "@custom": "x" }],
  ["null is the default", { aInt32: null, inner: null, numbers: null, counts: null }, {}],
  ["null as a Value", { value: null }],
  ["NullValue", { nullValue: null }, {}],
  ["Timestamp", { time: "2024-02-29T12:00:00.123456789Z" }],
  ["Timestamp with an offset", { time: "2024-02-29T12:00:00+01:30" }, {
    time: "2024-02-29T10:30:00Z",
  }],
  ["Timestamp before 1970", { time: "0001-01-01T00:00:00Z" }],
  ["Duration", { span: "-3.000001s" }],
  ["Duration in full seconds", { span: "3.0s" }, { span: "3s" }],
  ["FieldMask", { mask: "aInt32,inner.aBool" }],
  ["Any of a message", { any: { "@type": "type.googleapis.com/test.All", aInt64: "1" } }],
  ["Any of a type with JSON of its own", {
    any: { "@type": "type.googleapis.com/google.protobuf.Duration", value: "1.500s" },
  }],
  ["Struct, Value and ListValue", {
    struct: { a: [1, "x", null, { b: true }] },
    value: "x",
    list: [1, [2]],
  }],
  ["wrappers are their values", { wInt64: "0", wString: "", wBool: false, wBytes: "AA==" }],
  ["null is no wrapper", { wInt64: null }, {}],
  ["lists of messages with JSON of their own", { times: ["1970-01-01T00:00:00Z"] }],
];

Deno.test("JSON is read as the mapping has it", async (t) => {
  for (const [name, json, canonical = json] of ACCEPTED) {
    await t.step(name, async () => {
      assertEquals(await received("POST /whole", jsonOf(json)), canonical);
    });
  }
});

/** JSON.stringify loses the sign of zero. */
function jsonOf(json: JsonObject): string {
  return Object.is(json.aDouble, -0) ? '{"aDouble":-0}' : JSON.stringify(json);
}

Deno.test("messages are printed as the mapping has it", async (t) => {
  for (const [name, json, canonical = json] of ACCEPTED) {
    await t.step(name, async () => {
      const response = await answer("POST /whole", [encode(ALL, json)]);
      assertEquals(response.headers.get("content-type"), "application/json");
      assertEquals(JSON.parse(await utf8Of(response.body)), JSON.parse(JSON.stringify(canonical)));
    });
  }
});

Deno.test("what the mapping refuses is refused with the place", async () => {
  const cases: [string, string][] = [
    [`{"aInt32":"x"}`, "aInt32: "],
    [`{"aInt32":1.5}`, "aInt32: "],
    [`{"aInt32":2147483648}`, "aInt32: "],
    [`{"aInt64":"9223372036854775808"}`, "aInt64: "],
    [`{"aUint32":-1}`, "aUint32: "],
    [`{"aBool":"true"}`, "aBool: "],
    [`{"aString":5}`, "aString: "],
    [`{"aBytes":"*"}`, "aBytes: "],
    [`{"color":"GREEN"}`, "color: "],
    [`{"inner":[]}`, "inner: expected an object"],
    [`{"inner":{"items":[{},{"aBool":1}]}}`, "inner.items[1].aBool: "],
    [`{"items":{}}`, "items: expected an array"],
    [`{"items":[null]}`, "items[0]: "],
    [`{"numbers":[1,"x"]}`, "numbers: "],
    [`{"counts":[]}`, "counts: "],
    [`{"byId":{"7":{"nope":1}}}`, `byId["7"].nope: unknown field`],
    [`{"byId":{"x":{}}}`, `byId["x"]: not a key of this map`],
    [`{"byFlag":{"yes":""}}`, "byFlag: "],
    [`{"text":"a","number":1}`, "oneof"],
    [`{"time":"yesterday"}`, "time: "],
    [`{"time":"10000-01-01T00:00:00Z"}`, "time: "],
    [`{"span":"5"}`, "span: "],
    [`{"span":"315576000001s"}`, "span: "],
    [`{"mask":"a_b"}`, "mask: "],
    [`{"any":{"@type":"type.googleapis.com/no.Such"}}`, "any: "],
    [`{"nope":1}`, "nope: unknown field"],
    [`{"inner":{"nope":1}}`, "inner.nope: unknown field"],
    [`{"aInt32":1,"a_int32":2}`, "set multiple times"],
    [`{"aInt32":1,"aInt32":2}`, `duplicate object key "aInt32"`],
    [`[]`, "expected an object"],
    [`5`, "expected an object"],
    [`{"aInt32":1`, "the body is no JSON"],
    [`{"aInt32":1}{}`, "the body is no JSON"],
  ];
  for (const [json, message] of cases) {
    const error = await assertRejects(() => send("POST /whole", json), ProxyError, message);
    assertEquals(error.kind, "bad-request", json);
  }
});

Deno.test("JSON that nests deeper than any message is refused", async () => {
  const deep = '{"inner":'.repeat(200) + "{}" + "}".repeat(200);
  await assertRejects(() => send("POST /whole", deep), ProxyError, "recursion");
  const values = `{"value":${"[".repeat(100_000)}${"]".repeat(100_000)}}`;
  await assertRejects(() => send("POST /whole", values), ProxyError);
});

Deno.test("unknown fields are dropped where the option says so", async () => {
  const options = { ignoreUnknownFields: true };
  const json = `{"nope":{"deep":[1]},"inner":{"aInt32":3,"x":null},"color":"GREEN"}`;
  assertEquals(await received("POST /whole", json, options), { inner: { aInt32: 3 } });
  await assertRejects(
    () => send("POST /whole", `{"no":1,"aBool":2}`, options),
    ProxyError,
    "aBool: ",
  );
});

Deno.test("an unknown field in the message is left out of the JSON", async () => {
  const bytes = new Uint8Array([0x08, 0x05, 0xf8, 0x3f, 0x01]);
  assertEquals(await text(await answer("POST /whole", [bytes])), `{"aInt32":5}`);
});

Deno.test("defaults are printed where the option says so", async () => {
  const printed = JSON.parse(
    await text(await answer("POST /whole", [new Uint8Array()], { emitDefaults: true })),
  );
  assertEquals(printed, {
    aInt32: 0,
    aInt64: "0",
    aUint32: 0,
    aUint64: "0",
    aSint64: "0",
    aFixed64: "0",
    aDouble: 0,
    aFloat: 0,
    aBool: false,
    aString: "",
    aBytes: "",
    color: "UNSET",
    numbers: [],
    colors: [],
    items: [],
    counts: {},
    byId: {},
    byFlag: {},
    times: [],
    "@custom": "",
    nullValue: null,
    ["__proto__"]: "",
  });
  assertEquals(await text(await answer("POST /whole", [new Uint8Array()])), "{}");
});

Deno.test("the schema's names and numbers of enums are printed where the options say so", async () => {
  const message = encode(ALL, { aInt32: 1, "@custom": "x", color: "RED", inner: { aBool: true } });
  const options = { keepProtoNames: true, enumsAsNumbers: true };
  assertEquals(
    await text(await answer("POST /whole", [message], options)),
    `{"a_int32":1,"color":1,"inner":{"a_bool":true},"custom_name":"x"}`,
  );
});

Deno.test("a field called __proto__ is a field like any other", async () => {
  const { body } = await send("POST /whole", `{"__proto__":"x"}`);
  assertEquals([...await bytesOf(body)], [0, 0, 0, 0, 4, 0xb2, 0x02, 1, 0x78]);
  assertEquals(
    await text(await answer("POST /whole", [new Uint8Array([0xb2, 0x02, 1, 0x78])])),
    `{"__proto__":"x"}`,
  );
});

Deno.test("the bytes are those that protoc's encoder writes", async () => {
  const { body } = await send(
    "POST /whole",
    `{"aInt32":-1,"aSint64":"-1","numbers":[1,300],"text":""}`,
  );
  const hex = (await bytesOf(body)).toHex();
  assertEquals(
    hex,
    "00" + "00000015" + "08ffffffffffffffffff01" + "2801" + "720301ac02" + "a20100",
  );
});

function text(response: { body: Parameters<typeof utf8Of>[0] }): Promise<string> {
  return utf8Of(response.body);
}
