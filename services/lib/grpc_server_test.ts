// With a real server on a free loopback port: grpc-js has no other way in.

import { assertEquals, assertRejects } from "@std/assert";
import { status } from "@grpc/grpc-js";
import { InvalidRequest } from "./fields.ts";
import { GrpcError, type UnaryMethod } from "./grpc_method.ts";
import { GrpcServer } from "./grpc_server.ts";
import { TestClient } from "./test_grpc.ts";

const health = ["grpc/health/v1/health.proto", "grpc.health.v1.Health"] as const;

interface Options {
  readonly getUser?: UnaryMethod;
  readonly ping?: () => Promise<void>;
  readonly port?: number;
}

async function open(options: Options = {}) {
  const { getUser = () => Promise.resolve({ userId: "1" }), ping = () => Promise.resolve() } =
    options;
  const logged: unknown[] = [];
  const server = await GrpcServer.listen({
    hostname: "127.0.0.1",
    port: options.port ?? 0,
    service: { file: "user.proto", name: "user.UserService", methods: { GetUser: getUser } },
    ping,
    log: (_level, message, details) => logged.push([message, details?.path, details?.requestId]),
  });
  const client = new TestClient(server.port, "user.proto", "user.UserService");
  const close = async () => {
    client[Symbol.dispose]();
    await server.stop(1_000);
  };
  return { server, client, logged, [Symbol.asyncDispose]: close };
}

Deno.test("GrpcServer answers what the method resolves to, and UNIMPLEMENTED where there is none", async () => {
  await using rig = await open({
    getUser: ({ userId }: { userId: string }) => Promise.resolve({ userId, age: 5 }),
  });
  const answer = { userId: "7", name: "", email: "", age: 5 };
  assertEquals(await rig.client.call("GetUser", { userId: "7" }), answer);
  const [code] = await rig.client.call("ListUsers", {}) as [number, string];
  assertEquals(code, status.UNIMPLEMENTED);
});

Deno.test("GrpcServer turns what a method throws into its status, and logs only what nobody meant", async () => {
  const errors = [
    new GrpcError(status.NOT_FOUND, "not here", { "payment-id": "p1" }),
    new InvalidRequest({ age: "must be an integer", name: "is missing" }),
    new InvalidRequest(Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`f${i}`, "bad"]))),
    new Error("secret detail"),
  ];
  await using rig = await open({ getUser: () => Promise.reject(errors.shift()) });
  const ask = () => rig.client.end("GetUser", {}, { "x-request-id": "r1" });
  const [notFound] = await ask();
  assertEquals([notFound?.code, notFound?.details], [status.NOT_FOUND, "not here"]);
  assertEquals(notFound?.metadata.get("payment-id"), ["p1"]);
  const [invalid] = await ask();
  assertEquals(invalid?.code, status.INVALID_ARGUMENT);
  assertEquals(invalid?.details, "invalid request: age must be an integer; name is missing");
  const [many] = await ask();
  assertEquals(many?.details.endsWith("; f9 bad; and 2 more"), true);
  assertEquals(rig.logged, []);
  const [bug] = await ask();
  assertEquals([bug?.code, bug?.details], [status.INTERNAL, "internal error"]);
  assertEquals(rig.logged, [["call failed", "/user.UserService/GetUser", "r1"]]);
});

Deno.test("GrpcServer is as healthy as its database, by the name of the service and by none", async () => {
  let isDown = false;
  await using rig = await open({
    ping: () => isDown ? Promise.reject(new Error("gone")) : Promise.resolve(),
  });
  using client = new TestClient(rig.server.port, ...health);
  assertEquals(await client.call("Check", {}), { status: "SERVING" });
  isDown = true;
  assertEquals(await client.call("Check", { service: "user.UserService" }), {
    status: "NOT_SERVING",
  });
  assertEquals(await client.call("Check", { service: "other" }), [5, "unknown service"]);
});

Deno.test("GrpcServer tells whoever watches its health of each change, and ends the watch when it stops", async () => {
  let isDown = false;
  await using rig = await open({
    ping: () => isDown ? Promise.reject(new Error("gone")) : Promise.resolve(),
  });
  using client = new TestClient(rig.server.port, ...health);
  const watch = client.watch("Watch", { service: "user.UserService" });
  const unknown = client.watch("Watch", { service: "other" });
  assertEquals((await watch.next()).value, { status: "SERVING" });
  assertEquals((await unknown.next()).value, { status: "SERVICE_UNKNOWN" });
  isDown = true;
  await client.call("Check", {});
  assertEquals((await watch.next()).value, { status: "NOT_SERVING" });
  isDown = false;
  await client.call("Check", {});
  assertEquals((await watch.next()).value, { status: "SERVING" });
  const stopped = rig.server.stop(10_000);
  assertEquals((await watch.next()).value, { status: "NOT_SERVING" });
  assertEquals([(await watch.next()).done, (await unknown.next()).done], [true, true]);
  assertEquals(await stopped, true);
});

Deno.test("GrpcServer lets a call finish that was under way when it was told to stop", async () => {
  const [started, release] = [Promise.withResolvers<void>(), Promise.withResolvers<object>()];
  await using rig = await open({ getUser: () => (started.resolve(), release.promise) });
  const answer = rig.client.call("GetUser", {});
  await started.promise;
  const stopped = rig.server.stop(10_000);
  release.resolve({ userId: "late" });
  assertEquals(await answer, { userId: "late", name: "", email: "", age: 0 });
  assertEquals(await stopped, true);
});

Deno.test("GrpcServer cuts off what does not finish in time", async () => {
  const [started, release] = [Promise.withResolvers<void>(), Promise.withResolvers<object>()];
  await using rig = await open({ getUser: () => (started.resolve(), release.promise) });
  const answer = rig.client.call("GetUser", {});
  await started.promise;
  assertEquals(await rig.server.stop(20), false);
  const [code] = await answer as [number, string];
  assertEquals([status.UNAVAILABLE, status.CANCELLED].includes(code), true);
  release.resolve({});
});

Deno.test("GrpcServer refuses a message above 1 MiB and goes on", async () => {
  await using rig = await open();
  const [code] = await rig.client.call("GetUser", { userId: "x".repeat(1_100_000) }) as [number];
  assertEquals(code, status.RESOURCE_EXHAUSTED);
  assertEquals(await rig.client.call("GetUser", {}), { userId: "1", name: "", email: "", age: 0 });
});

Deno.test("GrpcServer rejects where somebody listens already", async () => {
  await using rig = await open();
  await assertRejects(() => open({ port: rig.server.port }), Error, "EADDRINUSE");
});

const PREFACE = [...new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")];
const SETTINGS = [0, 0, 0, 4, 0, 0, 0, 0, 0];

const clients: Readonly<Record<string, readonly number[]>> = {
  "says nothing": [],
  "speaks HTTP/1.1": [...new TextEncoder().encode("GET / HTTP/1.1\r\nhost: a\r\n\r\n")],
  "sends garbage": [...PREFACE, ...Array(50).fill(0xff)],
  "says GOAWAY": [...PREFACE, ...SETTINGS, 0, 0, 8, 7, ...Array(13).fill(0)],
  "resets a stream that never was": [
    ...PREFACE,
    ...SETTINGS,
    0,
    0,
    4,
    3,
    0,
    0,
    0,
    0,
    1,
    0,
    0,
    0,
    8,
  ],
  "continues what it never began": [...PREFACE, ...SETTINGS, 0, 0, 0, 9, 4, 0, 0, 0, 1],
};

for (const [does, bytes] of Object.entries(clients)) {
  Deno.test(`GrpcServer outlives a client that ${does}`, async () => {
    await using rig = await open();
    const connection = await Deno.connect({ hostname: "127.0.0.1", port: rig.server.port });
    await connection.write(Uint8Array.from(bytes));
    await connection.closeWrite();
    while (await connection.read(new Uint8Array(4096)) !== null);
    connection.close();
    assertEquals(await rig.client.call("GetUser", {}), {
      userId: "1",
      name: "",
      email: "",
      age: 0,
    });
  });
}

for (const version of ["v1", "v1alpha"]) {
  const file = `grpc/reflection/${version}/reflection.proto`;
  const name = `grpc.reflection.${version}.ServerReflection`;

  Deno.test(`GrpcServer answers every question of reflection ${version}`, async () => {
    await using rig = await open();
    using client = new TestClient(rig.server.port, file, name);
    const method = "google.protobuf.MethodOptions";
    const questions = [
      { listServices: "" },
      { fileByFilename: "user.proto" },
      { fileContainingSymbol: "user.UserService.GetUser" },
      { fileContainingExtension: { containingType: method, extensionNumber: 72295728 } },
      { allExtensionNumbersOfType: method },
      { fileContainingSymbol: "user.Nobody" },
      { fileByFilename: "deno.json" },
      {},
    ];
    const answers = await client.converse("ServerReflectionInfo", questions);
    assertEquals(answers.map(summaryOf), [
      [
        "user.UserService",
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
      ],
      1,
      1,
      3,
      [72295728],
      status.NOT_FOUND,
      status.NOT_FOUND,
      status.INVALID_ARGUMENT,
    ]);
  });
}

interface ReflectionAnswer {
  readonly listServicesResponse?: { readonly service: readonly { readonly name: string }[] };
  readonly fileDescriptorResponse?: { readonly fileDescriptorProto: readonly Uint8Array[] };
  readonly allExtensionNumbersResponse?: { readonly extensionNumber: readonly number[] };
  readonly errorResponse?: { readonly errorCode: number };
}

/** The names, how many files, the numbers, or the code. */
function summaryOf(answer: ReflectionAnswer): unknown {
  return answer.listServicesResponse?.service.map(({ name }) => name) ??
    answer.fileDescriptorResponse?.fileDescriptorProto.length ??
    answer.allExtensionNumbersResponse?.extensionNumber ?? answer.errorResponse?.errorCode;
}
