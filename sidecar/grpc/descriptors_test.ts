import { create, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ConfigError } from "../errors.ts";
import { DescriptorPool, pathOfMethod } from "./descriptors.ts";
import { httpRuleOf } from "./schema/http_option.ts";

const SHOP = `syntax = "proto3";
package shop;
import "google/api/annotations.proto";
import "google/protobuf/timestamp.proto";
import "common/money.proto";
message Item { string item_id = 1; common.Money price = 2; google.protobuf.Timestamp made_at = 3; }
service Shop {
  rpc Get(Item) returns (Item) {
    option (google.api.http) = {
      get: "/v1/items/{item_id}"
      additional_bindings { post: "/v1/items" body: "*" }
      additional_bindings { custom { kind: "HEAD" path: "/v1/items" } response_body: "price" }
    };
  }
  rpc Watch(Item) returns (stream Item) { option (google.api.http).get = "/v1/items:watch"; }
  rpc Bare(Item) returns (Item);
}`;

const MONEY = `syntax = "proto3"; package common; message Money { int64 units = 1; }`;

function shopPool(): Promise<DescriptorPool> {
  return DescriptorPool.ofProtos(
    new Map([["shop.proto", SHOP]]),
    (name) => name === "common/money.proto" ? MONEY : undefined,
  );
}

/** The pool's own files, as protoc --include_imports would write them. */
function setOf(pool: DescriptorPool, ...names: readonly string[]): Uint8Array {
  const file = names.map((name) => pool.registry.getFile(name)!.proto);
  return toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file }));
}

Deno.test("a pool of .proto sources has their services, and imports what it is given", async () => {
  const pool = await shopPool();
  assertEquals(pool.services.map(({ typeName }) => typeName), ["shop.Shop"]);
  const method = pool.method("/shop.Shop/Watch")!;
  assertEquals(method.methodKind, "server_streaming");
  assertEquals(pathOfMethod(method), "/shop.Shop/Watch");
  assertEquals(pool.registry.getMessage("common.Money")?.fields[0]?.jsonName, "units");
  assertEquals(pool.registry.getMessage("shop.Item")?.fields[0]?.jsonName, "itemId");
});

Deno.test("method knows nothing but paths of methods", async () => {
  const pool = await shopPool();
  for (const path of ["", "/", "/shop.Shop", "/shop.Shop/Nope", "/Nope/Get", "shop.Shop/Get"]) {
    assertEquals(pool.method(path), undefined, path);
  }
});

Deno.test("the google.api.http option is kept, from sources and through a descriptor set", async () => {
  const pool = await shopPool();
  const wanted = {
    get: "/v1/items/{item_id}",
    additionalBindings: [
      { post: "/v1/items", body: "*" },
      { custom: { kind: "HEAD", path: "/v1/items" }, responseBody: "price" },
    ],
  };
  const names = ["common/money", "shop"];
  const known = ["google/protobuf/descriptor", "google/api/http", "google/api/annotations"];
  const time = "google/protobuf/timestamp";
  const sets = [setOf(pool, ...names.map((name) => `${name}.proto`))];
  sets.push(setOf(pool, ...[...known, time, ...names].map((name) => `${name}.proto`)));
  for (const from of [pool, ...sets.map((set) => DescriptorPool.ofSet(set, "shop.binpb"))]) {
    assertEquals(httpRuleOf(from.method("/shop.Shop/Get")!), wanted);
    assertEquals(httpRuleOf(from.method("/shop.Shop/Watch")!), { get: "/v1/items:watch" });
    assertEquals(httpRuleOf(from.method("/shop.Shop/Bare")!), undefined);
  }
});

Deno.test("the place of a rule is known where there is a source", async () => {
  const pool = await shopPool();
  const { file, line, column } = pool.placeOf(pool.method("/shop.Shop/Get")!);
  assertEquals([file, line, column], ["shop.proto", 9, 12]);
  const bare = pool.placeOf(pool.method("/shop.Shop/Bare")!);
  assertEquals([bare.file, bare.line, bare.column], ["shop.proto", 1, 1]);
});

Deno.test("descriptors without JSON names get those that protoc gives", async () => {
  const pool = await shopPool();
  const set = create(FileDescriptorSetSchema, {
    file: ["common/money.proto", "shop.proto"].map((name) => pool.registry.getFile(name)!.proto),
  });
  for (const field of set.file[1]!.messageType[0]!.field) field.jsonName = "";
  const bare = DescriptorPool.ofSet(toBinary(FileDescriptorSetSchema, set), "set");
  const names = bare.registry.getMessage("shop.Item")!.fields.map(({ jsonName }) => jsonName);
  assertEquals(names, ["itemId", "price", "madeAt"]);
});

Deno.test("an own copy of a google file goes before the known one, but for google/protobuf", async () => {
  const asked: string[] = [];
  const pool = await DescriptorPool.ofProtos(
    new Map([[
      "a.proto",
      `syntax = "proto3"; import "google/rpc/status.proto"; import "google/protobuf/empty.proto";`,
    ]]),
    (name) => {
      asked.push(name);
      return Promise.resolve(
        `syntax = "proto3"; package google.rpc; message Status { int32 own = 1; }`,
      );
    },
  );
  assertEquals(asked, ["google/rpc/status.proto"]);
  assertEquals(pool.registry.getMessage("google.rpc.Status")?.fields.length, 1);
});

Deno.test("imports that are missing or go in a circle are told with their place", async () => {
  const cases: [Record<string, string>, string][] = [
    [{ "a.proto": `import "b.proto";` }, `a.proto:1:8: "b.proto" is not found`],
    [
      { "a.proto": `import "b.proto";`, "b.proto": `import "a.proto";` },
      "imports in a circle: a.proto > b.proto > a.proto",
    ],
    [{ "a.proto": `import "a.proto";` }, "imports in a circle: a.proto > a.proto"],
  ];
  for (const [sources, message] of cases) {
    await assertRejects(
      () => DescriptorPool.ofProtos(new Map(Object.entries(sources)), () => undefined),
      ConfigError,
      message,
    );
  }
});

Deno.test("a rule that is no HttpRule is told with its place", async () => {
  const cases: [string, string][] = [
    [`option (google.api.http) = { gett: "/" };`, "gett"],
    [`option (google.api.http) = "x";`, "google.api.http must be a message"],
    [`option (google.api.http) = { get: 5 };`, "get"],
    [`option (google.api.http) = { get: "/a" put: "/b" };`, "oneof"],
  ];
  for (const [option, message] of cases) {
    const source = `syntax = "proto3"; import "google/api/annotations.proto";
      message M {} service S { rpc A(M) returns (M) { ${option} } }`;
    const error = await assertRejects(
      () => DescriptorPool.ofProtos(new Map([["a.proto", source]]), () => undefined),
      ConfigError,
      message,
    );
    assertEquals(error.message.startsWith("a.proto:2:62: "), true, error.message);
  }
});

Deno.test("a descriptor set that cannot be used is told by its name", async () => {
  const bytes = new Uint8Array([0xff, 0xff]);
  assertThrows(
    () => DescriptorPool.ofSet(bytes, "x.binpb"),
    ConfigError,
    "x.binpb:1:1: no descriptor set",
  );
  const set = setOf(await shopPool(), "shop.proto");
  assertThrows(
    () => DescriptorPool.ofSet(set, "x.binpb"),
    ConfigError,
    `"common/money.proto" is imported and missing (protoc: --include_imports)`,
  );
});
