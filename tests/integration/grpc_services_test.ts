// The services as a person starts them, by the command at the head of each main.ts: its permissions must be enough to serve
// every method of every .proto, health and reflection to a grpc-js client.
import { assert, assertEquals } from "@std/assert";
import { loadFileDescriptorSetFromBuffer } from "@grpc/proto-loader";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { ROOT } from "../../deploy/build/bundle.ts";
import { readProtos, readService } from "../../services/lib/protos.ts";
import { type Outcome, TestClient } from "../../services/lib/test_grpc.ts";
import { AuthorityForwarder } from "./support/authority_forwarder.ts";
import { freePort } from "./support/ports.ts";
import { TestProcess } from "./support/processes.ts";
import { inTime, until } from "./support/until.ts";

const SERVICES = {
  user: "user.UserService",
  order: "order.OrderService",
  payment: "payment.PaymentService",
} as const;

type ServiceName = keyof typeof SERVICES;

/** The flags between `deno run` and the file, as the comment at the head of main.ts has them. */
async function documentedFlags(name: ServiceName): Promise<string[]> {
  const text = await Deno.readTextFile(join(ROOT, `services/${name}/main.ts`));
  const command = /deno run ([^]*?) services\/\w+\/main\.ts/.exec(text)?.[1] ?? "";
  return command.replaceAll("\\\n//", " ").trim().split(/\s+/);
}

/** `outbound` is the port that the order service calls through. */
async function start(name: ServiceName, outbound = freePort()) {
  const [port, grpcPort] = [freePort(), freePort()];
  const process = new TestProcess({
    command: Deno.execPath(),
    args: [
      "run",
      "--quiet",
      "--no-prompt",
      ...await documentedFlags(name),
      `services/${name}/main.ts`,
      `--port=${port}`,
      `--grpc-port=${grpcPort}`,
      "--database-file=:memory:",
      ...name === "order" ? [`--outbound-url=http://127.0.0.1:${outbound}`] : [],
    ],
    cwd: ROOT,
  });
  await until(`${name} listens for gRPC`, () => {
    if (process.hasExited) throw new Error(process.lines.join("\n"));
    return process.lines.some((line) => line.includes('"protocol":"grpc"'));
  });
  return { process, port, grpcPort, [Symbol.asyncDispose]: () => process[Symbol.asyncDispose]() };
}

function clientOf(name: ServiceName, port: number): TestClient {
  return new TestClient(port, `${name}.proto`, SERVICES[name]);
}

async function codeOf(outcome: Promise<Outcome>): Promise<unknown> {
  const ended = await outcome;
  return Array.isArray(ended) ? ended[0] : ended;
}

for (const name of ["user", "order", "payment"] as const) {
  Deno.test(`the ${name} service is healthy by gRPC, and ends with code 0 at SIGTERM while somebody watches`, async () => {
    await using service = await start(name);
    const health = ["grpc/health/v1/health.proto", "grpc.health.v1.Health"] as const;
    using client = new TestClient(service.grpcPort, ...health);
    assertEquals(await client.call("Check", {}), { status: "SERVING" });
    assertEquals(await client.call("Check", { service: SERVICES[name] }), { status: "SERVING" });
    const watch = client.watch("Watch", {});
    assertEquals((await watch.next()).value, { status: "SERVING" });
    service.process.kill("SIGTERM");
    assertEquals((await watch.next()).value, { status: "NOT_SERVING" });
    assertEquals((await watch.next()).done, true);
    assertEquals(await inTime("its end", service.process.exited), 0);
    assert(service.process.lines.some((line) => line.includes('"isClean":true')));
  });

  for (const version of ["v1", "v1alpha"]) {
    Deno.test(`the ${name} service tells by reflection ${version} all that a client needs`, async () => {
      await using service = await start(name);
      const definition = await learn(service.grpcPort, version, SERVICES[name]);
      const learnt = Object.values(definition).map(({ path }) => path).toSorted();
      const written = Object.values(readService(`${name}.proto`, SERVICES[name]));
      assertEquals(learnt, written.map(({ path }) => path).toSorted());
    });
  }
}

Deno.test("GetUser and ListUsers answer over the wire", async () => {
  await using service = await start("user");
  using client = clientOf("user", service.grpcPort);
  assertEquals(await client.call("GetUser", { userId: "123" }), {
    userId: "123",
    name: "User-123",
    email: "user123@example.com",
    age: 25,
  });
  assertEquals(await client.call("GetUser", { userId: "nobody" }), [5, "user not found"]);
  assertEquals(await client.call("ListUsers", { page: 2, pageSize: 1 }), {
    users: [{ userId: "2", name: "User-2", email: "user2@example.com", age: 21 }],
    total: 100,
  });
  assertEquals(await codeOf(client.call("ListUsers", { pageSize: 101 })), 3);
});

Deno.test("a payment taken by gRPC is the one that HTTP knows, and the reverse", async () => {
  await using service = await start("payment");
  using client = clientOf("payment", service.grpcPort);
  const asked = { orderId: "o1", userId: "alice", amount: 1999 };
  const taken = await client.call("CreatePayment", asked) as { id: string };
  const http = `http://127.0.0.1:${service.port}/payments`;
  const { status, ...seen } = await (await fetch(`${http}/${taken.id}`)).json();
  assertEquals({ ...seen, status: status.toUpperCase() }, taken);
  const refunded = await client.call("RefundPayment", { paymentId: taken.id });
  assertEquals(refunded, { ...taken, status: "REFUNDED" });
  const response = await fetch(http, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(asked),
  });
  const { id, status: other, ...fields } = await response.json();
  const found = await client.call("GetPayment", { paymentId: id });
  assertEquals(found, { id, ...fields, status: other.toUpperCase() });
  assertEquals(await codeOf(client.call("CreatePayment", { ...asked, amount: 1_000_001 })), 9);
  assertEquals(await codeOf(client.call("CreatePayment", { amount: 0 })), 3);
});

Deno.test("the order service says UNAVAILABLE where its proxy does not listen, and keeps no order", async () => {
  await using service = await start("order");
  using client = clientOf("order", service.grpcPort);
  const entries = { "x-user-id": "alice" };
  const items = [{ sku: "book", quantity: 1, unitPrice: 1999 }];
  const outcome = await client.call("CreateOrder", { items }, entries);
  assertEquals(outcome, [14, "user service unavailable"]);
  assertEquals(await client.call("ListOrders", {}, entries), { orders: [], total: 0 });
  assertEquals(await codeOf(client.call("GetOrder", { orderId: "o1" }, entries)), 5);
  assertEquals(await codeOf(client.call("ListOrders", {})), 16);
});

Deno.test("an order goes by gRPC to the user service, then to the payment service, and is kept", async () => {
  await using user = await start("user");
  await using payment = await start("payment");
  using forwarder = await AuthorityForwarder.listen([
    {
      authority: "user-service",
      port: user.grpcPort,
      service: readService("user.proto", SERVICES.user),
    },
    {
      authority: "payment-service",
      port: payment.grpcPort,
      service: readService("payment.proto", SERVICES.payment),
    },
  ]);
  await using order = await start("order", forwarder.port);
  using client = clientOf("order", order.grpcPort);
  const place = (unitPrice: number, userId: string) =>
    client.call("CreateOrder", { items: [{ sku: "book", quantity: 2, unitPrice }] }, {
      "x-user-id": userId,
    });
  const placed = await place(1999, "alice") as { paymentId: string; status: string; id: string };
  assertEquals(placed.status, "CONFIRMED");
  using payments = clientOf("payment", payment.grpcPort);
  const { orderId, amount } = await payments.call("GetPayment", {
    paymentId: placed.paymentId,
  }) as { orderId: string; amount: number };
  assertEquals([orderId, amount], [placed.id, 3998]);
  assertEquals(await place(1999, "nobody"), [9, "unknown user"]);
  assertEquals(await place(1_000_000, "bob"), [9, "payment declined"]);
});

interface ReflectionAnswer {
  readonly listServicesResponse?: { readonly service: readonly { readonly name: string }[] };
  readonly fileDescriptorResponse?: { readonly fileDescriptorProto: readonly Uint8Array[] };
}

/** Asks as a client does that has no file: which services, and then the files of the one. */
async function learn(port: number, version: string, service: string) {
  const file = `grpc/reflection/${version}/reflection.proto`;
  using client = new TestClient(port, file, `grpc.reflection.${version}.ServerReflection`);
  const questions = [{ listServices: "" }, { fileContainingSymbol: service }];
  const answers: ReflectionAnswer[] = await client.converse("ServerReflectionInfo", questions);
  const names = answers[0]?.listServicesResponse?.service.map(({ name }) => name) ?? [];
  assert(names.includes(service) && names.includes("grpc.health.v1.Health"));
  const vocabulary = readProtos(["google/api/annotations.proto"], { keepCase: true });
  const fileType = vocabulary.lookupType("google.protobuf.FileDescriptorProto");
  const setType = vocabulary.lookupType("google.protobuf.FileDescriptorSet");
  const files = answers[1]?.fileDescriptorResponse?.fileDescriptorProto ?? [];
  const set = setType.create({ file: files.map((bytes) => fileType.decode(bytes)) });
  const learnt = loadFileDescriptorSetFromBuffer(Buffer.from(setType.encode(set).finish()));
  const definition = learnt[service];
  assert(definition !== undefined && !("format" in definition));
  return definition;
}
