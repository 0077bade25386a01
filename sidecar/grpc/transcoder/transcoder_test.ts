import { assertEquals, assertThrows } from "@std/assert";
import { ConfigError } from "../../errors.ts";
import { DescriptorPool } from "../descriptors.ts";
import { transcoder } from "./test_service.ts";
import { Transcoder } from "./transcoder.ts";

const HEAD = `syntax = "proto3";
import "google/api/annotations.proto";
message In { string a = 1; In in = 2; repeated string list = 3; map<string, string> map = 4; }
service S {\n`;

function poolOf(...rules: readonly string[]): Promise<DescriptorPool> {
  const methods = rules.map((rule, index) =>
    `rpc M${index}(In) returns (In) { option (google.api.http) = { ${rule} }; }\n`
  );
  const source = `${HEAD}${methods.join("")}}`;
  return DescriptorPool.ofProtos(new Map([["s.proto", source]]), () => undefined);
}

Deno.test("match finds the call by method and path, and gives the methods there are", () => {
  const known = transcoder();
  const find = (method: string, target: string) => {
    const found = known.match(method, target);
    return found === null || "allow" in found ? found : found.path;
  };
  assertEquals(find("GET", "/v1/shelves/1/books/2?x=y"), "/test.Test/Resource");
  assertEquals(find("POST", "/test.Test/Bare"), "/test.Test/Bare");
  assertEquals(find("GET", "/test.Test/Bare"), { allow: ["POST"] });
  assertEquals(find("POST", "/test.Test/Whole"), null);
  assertEquals(find("PUT", "/v1/shelves/1/books/2"), { allow: ["GET"] });
  assertEquals(find("GET", "/nope"), null);
  assertEquals(find("OPTIONS", "*"), null);
});

Deno.test("a custom pattern has its own method, or all", async () => {
  const pool = await poolOf(
    `custom { kind: "REPORT" path: "/a" }`,
    `custom { kind: "*" path: "/b" }`,
  );
  const known = Transcoder.of(pool);
  const find = (method: string, path: string) => {
    const found = known.match(method, path);
    return found !== null && "path" in found ? found.path : found;
  };
  assertEquals(find("REPORT", "/a"), "/S/M0");
  assertEquals(find("GET", "/a"), { allow: ["REPORT"] });
  assertEquals(find("BREW", "/b"), "/S/M1");
});

Deno.test("a rule that makes no sense is told with its place and its method", async () => {
  const cases: [string, string][] = [
    [`get: "v1"`, 'path template "v1": must start with "/"'],
    [`get: "/{a"`, 'path template "/{a": expected "}"'],
    [`body: "*"`, "google.api.http has no pattern"],
    [`custom { path: "/" }`, "the custom pattern has no kind"],
    [`get: "/{b}"`, 'variable "b": In has no field "b"'],
    [`get: "/{a.b}"`, 'variable "a.b": "a" is no message'],
    [`get: "/{in}"`, 'variable "in": a path cannot hold a list or a message'],
    [`get: "/{list}"`, 'variable "list": a path cannot hold a list or a message'],
    [`get: "/{map}"`, 'variable "map": a path cannot hold a list or a message'],
    [`post: "/" body: "b"`, 'body: In has no field "b"'],
    [`post: "/" body: "in.a"`, 'body: In has no field "in.a"'],
    [`get: "/" response_body: "b"`, 'response_body: In has no field "b"'],
    [
      `get: "/" additional_bindings { get: "/b" additional_bindings { get: "/c" } }`,
      "additional_bindings cannot be nested",
    ],
    [`get: "/" additional_bindings { get: "/" }`, "GET on this path is taken by another rule"],
  ];
  for (const [rule, message] of cases) {
    const pool = await poolOf(rule);
    assertThrows(() => Transcoder.of(pool), ConfigError, `s.proto:5:34: S.M0: ${message}`);
  }
});

Deno.test("every rule that makes no sense is told, not only the first", async () => {
  const pool = await poolOf(`get: "/{a}"`, `get: "/{list}"`, `get: "/{b=*}"`, `get: "/{in.a}"`);
  const { problems } = assertThrows(() => Transcoder.of(pool), ConfigError);
  assertEquals(problems.map(({ line, path }) => [line, path]), [
    [6, "S.M1"],
    [7, "S.M2"],
    [8, "S.M3"],
  ]);
});
