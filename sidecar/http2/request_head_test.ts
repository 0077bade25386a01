import { assertEquals } from "@std/assert";
import { Field } from "../http/field.ts";
import { RequestHeadReader } from "./request_head.ts";

function fieldsOf(...pairs: readonly (readonly [string, string, boolean?])[]): Field[] {
  return pairs.map(([name, value, isSensitive]) => new Field(name, value, isSensitive));
}

const GET = [[":method", "GET"], [":scheme", "https"], [":path", "/x?y"]] as const;

Deno.test("a request's pseudo-fields become what HTTP/1.1 would have said", () => {
  const head = new RequestHeadReader().read(1, fieldsOf(...GET, [":authority", "a:1"], ["x", "y"]));
  assertEquals([...head.headers], [["host", "a:1"], ["x", "y"]]);
  const { method, form, authority, target, upgrade, length } = head;
  assertEquals([method, form, authority, target, upgrade, length], [
    "GET",
    "origin",
    "a:1",
    "/x?y",
    undefined,
    undefined,
  ]);
});

Deno.test("a request may name its host by Host alone, or by both alike", () => {
  const reader = new RequestHeadReader();
  const alone = reader.read(1, fieldsOf(...GET, ["x", "y"], ["host", "a"]));
  const both = reader.read(3, fieldsOf(...GET, [":authority", "a"], ["host", "a"]));
  assertEquals([alone.authority, [...alone.headers]], ["a", [["host", "a"], ["x", "y"]]]);
  assertEquals([both.authority, [...both.headers]], ["a", [["host", "a"]]]);
});

Deno.test("a reader that remembers an authority still tells it from another", () => {
  const reader = new RequestHeadReader();
  const a = new Field(":authority", "a"), b = new Field(":authority", "b");
  const authorities = [a, a, b, a].map((field) =>
    reader.read(1, [...fieldsOf(...GET), field]).headers.get("host")
  );
  assertEquals(authorities, ["a", "a", "b", "a"]);
});

Deno.test("the crumbs of a cookie become one field, as secret as the most secret of them", () => {
  const fields = fieldsOf(
    ...GET,
    [":authority", "a"],
    ["cookie", "a=1"],
    ["x", "y"],
    ["cookie", "b=2", true],
    ["cookie", "c=3"],
  );
  const { headers } = new RequestHeadReader().read(1, fields);
  assertEquals([...headers], [["host", "a"], ["cookie", "a=1; b=2; c=3"], ["x", "y"]]);
  assertEquals(headers.items[1]!.isSensitive, true);
});

Deno.test("what ends at this hop is left out, and so is an expectation that nobody defined", () => {
  const fields = fieldsOf(
    ...GET,
    [":authority", "a"],
    ["te", "trailers"],
    ["trailer", "x"],
    ["proxy-authorization", "secret"],
    ["expect", "miracles"],
    ["expect", "100-continue"],
  );
  const head = new RequestHeadReader().read(1, fields);
  assertEquals([...head.headers], [["host", "a"], ["expect", "100-continue"]]);
  assertEquals(head.acceptsTrailers, true);
});

Deno.test("OPTIONS of a whole server, CONNECT and extended CONNECT have their forms", () => {
  const reader = new RequestHeadReader();
  const read = (...pairs: readonly (readonly [string, string])[]) => {
    const { method, form, target, upgrade, length } = reader.read(1, fieldsOf(...pairs));
    return [method, form, target, upgrade, length];
  };
  const rest = [[":scheme", "http"], [":authority", "a:1"]] as const;
  assertEquals(read([":method", "OPTIONS"], [":path", "*"], ...rest), [
    "OPTIONS",
    "asterisk",
    "*",
    undefined,
    undefined,
  ]);
  assertEquals(read([":method", "CONNECT"], [":authority", "a:1"], ["content-length", "5"]), [
    "CONNECT",
    "authority",
    "a:1",
    undefined,
    undefined,
  ]);
  const tunnel = [[":method", "CONNECT"], [":protocol", "websocket"], [":path", "/c"]] as const;
  assertEquals(read(...tunnel, ...rest), ["GET", "origin", "/c", "websocket", undefined]);
});
