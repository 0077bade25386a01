import { assertEquals, assertRejects } from "@std/assert";
import { ProxyError } from "../../errors.ts";
import { received, send } from "./test_service.ts";

async function refused(line: string, body: string, message: string): Promise<void> {
  const error = await assertRejects(() => send(line, body), ProxyError, message);
  assertEquals([error.kind, error.side], ["bad-request", "downstream"], line);
}

Deno.test("query parameters become fields of their types", async () => {
  const cases: [string, unknown][] = [
    ["aInt32=-5", { aInt32: -5 }],
    ["a_int64=9223372036854775807", { aInt64: "9223372036854775807" }],
    ["aUint64=18446744073709551615", { aUint64: "18446744073709551615" }],
    ["aDouble=1.5e3&aFloat=-Infinity", { aDouble: 1500, aFloat: "-Infinity" }],
    ["aBool=true", { aBool: true }],
    ["aBytes=-_8", { aBytes: "+/8=" }],
    ["aBytes=%2B%2F8%3D", { aBytes: "+/8=" }],
    ["color=RED", { color: "RED" }],
    ["color=2", { color: "DARK_BLUE" }],
    ["inner.inner.aInt32=1&inner.aBool=true", { inner: { inner: { aInt32: 1 }, aBool: true } }],
    ["numbers=1&numbers=2&aInt32=3&numbers=3", { numbers: ["1", "2", "3"], aInt32: 3 }],
    ["inner.numbers=1&inner.numbers=2", { inner: { numbers: ["1", "2"] } }],
    ["colors=RED&colors=2", { colors: ["RED", "DARK_BLUE"] }],
    ["text=a+b%2Bc%C3%BC", { text: "a b+cü" }],
    ["text=", { text: "" }],
    ["text", { text: "" }],
    ["maybe=0", { maybe: 0 }],
    ["time=2024-01-01T00:00:00Z", { time: "2024-01-01T00:00:00Z" }],
    ["times=2024-01-01T00:00:00Z&times=2025-01-01T00:00:00Z", {
      times: ["2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z"],
    }],
    ["span=1.5s", { span: "1.500s" }],
    ["mask=aInt32,inner.aBool", { mask: "aInt32,inner.aBool" }],
    ["wInt64=0&wString=&wBool=false&wBytes=AA", {
      wInt64: "0",
      wString: "",
      wBool: false,
      wBytes: "AA==",
    }],
    ["@custom=x", { "@custom": "x" }],
    ["__proto__=x", JSON.parse('{"__proto__":"x"}')],
    ["&&aInt32=1&", { aInt32: 1 }],
    ["", {}],
  ];
  for (const [query, wanted] of cases) {
    assertEquals(
      await received(`GET /query/s?${query}`),
      { aString: "s", ...wanted as object },
      query,
    );
  }
});

Deno.test("query parameters that do not fit are refused by their name", async () => {
  const cases: [string, string][] = [
    ["nope=1", `unknown query parameter "nope": test.All has no field "nope"`],
    ["inner.nope=1", `unknown query parameter "inner.nope"`],
    ["aInt32.x=1", `"a_int32" is no message`],
    ["aInt32=x", "aInt32: expected a whole number"],
    ["aInt32=1.0", "aInt32: expected a whole number"],
    ["aInt32=0x10", "aInt32: expected a whole number"],
    ["aInt32=2147483648", "aInt32: "],
    ["aInt32=", "aInt32: "],
    ["aUint64=-1", "aUint64: "],
    ["aBool=1", 'aBool: expected "true" or "false"'],
    ["aDouble=", "aDouble: expected a number"],
    ["aDouble=0x1", "aDouble: expected a number"],
    ["color=GREEN", "color: "],
    ["aBytes=*", "aBytes: "],
    ["time=now", "time: "],
    ["span=1", 'span: expected seconds such as "1.5s"'],
    ["span=1sx", 'span: expected seconds such as "1.5s"'],
    ["aInt32=1&aInt32=2", "aInt32: given twice"],
    ["aInt32=1&a_int32=2", "a_int32: given twice"],
    ["inner=x", "inner: a query parameter cannot be a message or a map"],
    ["counts=x", "counts: a query parameter cannot be a message or a map"],
    ["items=x", "items: a query parameter cannot be a message or a map"],
    ["items.aInt32=1", `"items" is no message`],
    ["struct=x", "struct: a query parameter cannot be a message or a map"],
    ["aString=x", "aString: not a query parameter, it is in the path or the body"],
    ["text=%zz", "the query is not encoded right"],
    ["text=%ff", "the query is not encoded right"],
    ["%C3=1", "the query is not encoded right"],
  ];
  for (const [query, message] of cases) await refused(`GET /query/s?${query}`, "", message);
});

Deno.test("a field of the same name in another message is another parameter", async () => {
  assertEquals(await received("GET /query/s?aInt32=1&inner.aInt32=2"), {
    aString: "s",
    aInt32: 1,
    inner: { aInt32: 2 },
  });
});

Deno.test("unknown parameters are dropped where the option says so", async () => {
  const options = { ignoreUnknownParameters: true };
  assertEquals(await received("GET /query/s?nope=1&aInt32=2", "", options), {
    aString: "s",
    aInt32: 2,
  });
  assertEquals(await received("POST /whole?x=1", "{}", options), {});
});

Deno.test("a body that is the whole message leaves no parameters", async () => {
  await refused(
    "POST /whole?aInt32=1",
    "{}",
    `unknown query parameter "aInt32": the body is the whole message`,
  );
});

Deno.test("a body that is a field leaves the rest to path and query", async () => {
  const line = "POST /query/s/inner?aInt32=1";
  assertEquals(await received(line, '{"aBool":true}'), {
    aString: "s",
    aInt32: 1,
    inner: { aBool: true },
  });
  assertEquals(await received(line, " \n"), { aString: "s", aInt32: 1 });
  await refused("POST /query/s/inner?inner.aBool=true", "{}", "in the path or the body");
  await refused(line, '{"nope":1}', "inner.nope: unknown field");
  await refused(line, '{"aBool":true,"aBool":false}', 'duplicate object key "aBool"');
});

Deno.test("a body that is a field cannot reach out of it", async () => {
  await refused("POST /query/s/inner", '{},"aInt64":"1"', "the body is no JSON");
  await refused("POST /query/s/inner", '{}}{"x":{}', "the body is no JSON");
});

Deno.test("the path goes before what the body says", async () => {
  const line = "PATCH /v1/shelves/1:rename";
  assertEquals(await received(line, '{"aInt32":1}'), { name: "shelves/1", all: { aInt32: 1 } });
});

Deno.test("path variables become fields of their types", async () => {
  const line = "GET /typed/RED/-7/2024-01-01T00:00:00Z/true/0/-_8/1.5s/NaN";
  assertEquals(await received(line), {
    color: "RED",
    aInt64: "-7",
    time: "2024-01-01T00:00:00Z",
    inner: { aBool: true },
    wInt64: "0",
    aBytes: "+/8=",
    span: "1.500s",
    aDouble: "NaN",
  });
});

Deno.test("path variables that do not fit are refused by their name", async () => {
  const rest = "2024-01-01T00:00:00Z/true/0/-_8/1.5s/NaN";
  await refused(`GET /typed/GREEN/1/${rest}`, "", "color: ");
  await refused(`GET /typed/RED/x/${rest}`, "", "a_int64: expected a whole number");
  await refused("GET /query/%ff", "", "a_string: the path is not encoded right");
});

Deno.test("a variable of one segment is decoded whole", async () => {
  assertEquals(await received("GET /one/a%2Fb%20%C3%BC%25/c+d"), { name: "a/b ü%", other: "c+d" });
});

Deno.test("a variable of several segments keeps escaped slashes", async () => {
  assertEquals(await received("GET /v1/shelves/a%2Fb/books/c%20d%2fe"), {
    name: "shelves/a%2Fb/books/c d%2fe",
  });
  assertEquals(await received("GET /files/a/b%2Fc/%252F"), { name: "a/b%2Fc/%2F" });
  assertEquals(await received("GET /files"), {});
});

Deno.test("a body of too many objects and arrays is refused before it is read", async () => {
  const options = { maxNested: 4 };
  assertEquals(await received("POST /whole", '{"items":[{},{}]}', options), { items: [{}, {}] });
  const error = await assertRejects(
    () => send("POST /whole", '{"items":[{},{},{}]}', options),
    ProxyError,
    "more than 4 objects and arrays",
  );
  assertEquals(error.kind, "payload-too-large");
});

Deno.test("a problem too far in to be looked for is told by its type", async () => {
  const items = '{"aBool":true},'.repeat(20_000);
  await refused("POST /whole", `{"items":[${items}{"nope":1}]}`, 'test.All from JSON: key "nope"');
});
