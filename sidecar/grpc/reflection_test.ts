import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { assertEquals, assertRejects } from "@std/assert";
import { ProxyError } from "../errors.ts";
import { DescriptorPool } from "./descriptors.ts";
import { reflect, type ReflectionExchange } from "./reflection.ts";
import { httpRuleOf } from "./schema/http_option.ts";
import { Transcoder } from "./transcoder/transcoder.ts";

const SOURCES = {
  "user.proto": `syntax = "proto3"; package user; import "a/types.proto";
    import "google/api/annotations.proto";
    message Get { string user_id = 1; }
    service Users { rpc Get(.user.Get) returns (a.User) { option (google.api.http) = { get: "/users/{user_id}" }; } }
    service More { rpc Get(.user.Get) returns (a.User); }`,
  "a/types.proto": `syntax = "proto3"; package a; import public "a/names.proto";
    import "google/protobuf/timestamp.proto";
    message User { Name full_name = 1; google.protobuf.Timestamp since = 2; }`,
  "a/names.proto": `syntax = "proto3"; package a; message Name { string last = 1; }`,
};

const POOL = await DescriptorPool.ofProtos(
  new Map([["user.proto", SOURCES["user.proto"]]]),
  (name) => Object.entries(SOURCES).find(([known]) => known === name)?.[1],
);

/** A file as a server sends it whose library writes no JSON names. */
function fileBytes(name: string): Uint8Array {
  const { proto } = POOL.registry.getFile(name)!;
  const file = fromBinary(FileDescriptorProtoSchema, toBinary(FileDescriptorProtoSchema, proto));
  for (const message of file.messageType) for (const field of message.field) field.jsonName = "";
  return toBinary(FileDescriptorProtoSchema, file);
}

type Question = readonly [field: number, value: string];

function readQuestion(bytes: Uint8Array): Question {
  const reader = new BinaryReader(bytes);
  const [field] = reader.tag();
  return [field, reader.string()];
}

/** Field 4, 6 or 7 of ServerReflectionResponse; fields 1 and 2 go before, as servers send them. */
function reply(field: number, inner: Uint8Array): Uint8Array {
  const writer = new BinaryWriter().tag(1, WireType.LengthDelimited).string("host");
  return writer.tag(field, WireType.LengthDelimited).bytes(inner).finish();
}

function files(...names: readonly string[]): Uint8Array {
  const writer = new BinaryWriter();
  for (const name of names) writer.tag(1, WireType.LengthDelimited).bytes(fileBytes(name));
  return reply(4, writer.finish());
}

function serviceList(...names: readonly string[]): Uint8Array {
  const writer = new BinaryWriter();
  for (const name of names) {
    const service = new BinaryWriter().tag(1, WireType.LengthDelimited).string(name).finish();
    writer.tag(1, WireType.LengthDelimited).bytes(service);
  }
  return reply(6, writer.finish());
}

const SERVICES = serviceList("user.Users", "user.More", "grpc.reflection.v1.ServerReflection");

function server(
  answer: (question: Question) => Uint8Array | undefined,
  asked: Question[] = [],
): ReflectionExchange {
  return (request) => {
    const question = readQuestion(request);
    asked.push(question);
    const bytes = answer(question);
    return Promise.resolve(bytes === undefined ? [] : [bytes]);
  };
}

const LIST = 7, SYMBOL = 4, FILE = 3;

Deno.test("reflect asks for services, their files and what those import, each file once", async () => {
  const asked: Question[] = [];
  const exchange = server(([field, value]) => {
    if (field === LIST) return SERVICES;
    return files(field === SYMBOL ? "user.proto" : value);
  }, asked);
  const pool = await reflect(exchange);
  assertEquals(asked, [
    [LIST, "*"],
    [SYMBOL, "user.Users"],
    [SYMBOL, "user.More"],
    [FILE, "a/types.proto"],
    [FILE, "a/names.proto"],
  ]);
  assertEquals(pool.services.map(({ typeName }) => typeName), ["user.Users", "user.More"]);
  assertEquals(httpRuleOf(pool.method("/user.Users/Get")!), { get: "/users/{user_id}" });
  assertEquals(pool.registry.getMessage("a.User")!.fields[0]!.jsonName, "fullName");
  assertEquals(Transcoder.of(pool).match("GET", "/users/7") !== null, true);
});

Deno.test("reflect takes files that are sent along", async () => {
  const asked: Question[] = [];
  const all = files("user.proto", "a/types.proto", "a/names.proto");
  await reflect(server(([field]) => field === LIST ? SERVICES : all, asked));
  assertEquals(asked.length, 3);
});

Deno.test("a server that answers with an error, nonsense or nothing is told", async () => {
  const error = new BinaryWriter().tag(1, WireType.Varint).int32(5)
    .tag(2, WireType.LengthDelimited).string("no such symbol").finish();
  const cases: [(question: Question) => Uint8Array | undefined, string][] = [
    [() => reply(7, error), `{"listServices":"*"} failed with status 5: no such symbol`],
    [() => undefined, "no answer came"],
    [() => new Uint8Array([0xff]), "the answer is no ServerReflectionResponse"],
    [() => files("user.proto"), "no list of services came"],
    [() => SERVICES, `no file came for "user.Users"`],
    [
      ([field]) => field === LIST ? SERVICES : files("user.proto"),
      `"a/types.proto" is missing in the answer`,
    ],
    [
      ([field]) => field === LIST ? SERVICES : reply(4, new Uint8Array([0x0a, 1, 0xff])),
      "the answer holds no FileDescriptorProto",
    ],
  ];
  for (const [answer, message] of cases) {
    const error = await assertRejects(() => reflect(server(answer)), ProxyError, message);
    assertEquals([error.kind, error.side], ["upstream-protocol", "upstream"]);
  }
});

Deno.test("reflect stops at its limits", async () => {
  let count = 0;
  const endless = server(([field, name]) => {
    if (field === LIST) return serviceList("s");
    const file = create(FileDescriptorProtoSchema, {
      name: field === FILE ? name : "0.proto",
      dependency: [`${++count}.proto`],
    });
    const bytes = toBinary(FileDescriptorProtoSchema, file);
    return reply(4, new BinaryWriter().tag(1, WireType.LengthDelimited).bytes(bytes).finish());
  });
  await assertRejects(
    () => reflect(endless, { maxFiles: 20, maxBytes: 1e6 }),
    ProxyError,
    "more than 20 files",
  );
  assertEquals(count, 21);
  await assertRejects(
    () => reflect(endless, { maxFiles: 1e6, maxBytes: 2000 }),
    ProxyError,
    "more than 2000 bytes",
  );
});
