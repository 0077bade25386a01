import { assert, assertEquals } from "@std/assert";
import { loadFileDescriptorSetFromBuffer } from "@grpc/proto-loader";
import { Buffer } from "node:buffer";
import { describeFiles } from "./descriptors.ts";
import { readProtos, readService } from "./protos.ts";

const reflection = "grpc/reflection/v1/reflection.proto";
const described = describeFiles(["payment.proto", "order.proto", reflection]);
const vocabulary = readProtos(["google/api/annotations.proto"], { keepCase: true });
const fileType = vocabulary.lookupType("google.protobuf.FileDescriptorProto");

/** The descriptor as a plain object, numbers of enums as names. */
function contentOf(name: string) {
  const file = described.find((one) => one.name === name);
  assert(file, name);
  return fileType.toObject(fileType.decode(file.bytes), { enums: String });
}

Deno.test("describeFiles gives each file by its name, with exactly what it imports", () => {
  const imports = described.map(({ name, imports }) => [name, imports.toSorted()]);
  assertEquals(imports.toSorted(), [
    ["google/api/annotations.proto", ["google/api/http.proto", "google/protobuf/descriptor.proto"]],
    ["google/api/http.proto", []],
    ["google/protobuf/descriptor.proto", []],
    [reflection, []],
    ["order.proto", ["google/api/annotations.proto"]],
    ["payment.proto", ["google/api/annotations.proto"]],
  ]);
  for (const { name, imports } of described) {
    assertEquals(contentOf(name).dependency ?? [], imports);
  }
});

Deno.test("describeFiles keeps names, numbers, labels and types", () => {
  const { package: name, syntax, messageType, enumType } = contentOf("order.proto");
  assertEquals([name, syntax], ["order", "proto3"]);
  const order = messageType.find((type: { name: string }) => type.name === "Order");
  assertEquals(order.field.slice(1, 5), [
    {
      name: "user_id",
      jsonName: "userId",
      number: 2,
      label: "LABEL_OPTIONAL",
      type: "TYPE_STRING",
    },
    {
      name: "items",
      jsonName: "items",
      number: 3,
      label: "LABEL_REPEATED",
      type: "TYPE_MESSAGE",
      typeName: ".order.OrderItem",
    },
    { name: "total", jsonName: "total", number: 4, label: "LABEL_OPTIONAL", type: "TYPE_INT64" },
    {
      name: "status",
      jsonName: "status",
      number: 5,
      label: "LABEL_OPTIONAL",
      type: "TYPE_ENUM",
      typeName: ".order.OrderStatus",
    },
  ]);
  assertEquals(enumType[0].value[1], { name: "PENDING", number: 1 });
});

Deno.test("describeFiles keeps which fields exclude each other, and which methods stream", () => {
  const { messageType, service } = contentOf(reflection);
  const { field, oneofDecl } = messageType[0];
  assertEquals(oneofDecl, [{ name: "message_request" }]);
  const indexes = field.map(({ oneofIndex }: { oneofIndex?: number }) => oneofIndex);
  assertEquals(indexes, [undefined, 0, 0, 0, 0, 0]);
  const [{ clientStreaming, serverStreaming }] = service[0].method;
  assertEquals([clientStreaming, serverStreaming], [true, true]);
});

Deno.test("describeFiles keeps the HTTP rules of methods, one further binding as well as many", () => {
  const [{ method }] = contentOf("payment.proto").service;
  const rules = method.map(({ options }: { options: object }) =>
    Reflect.get(options, ".google.api.http")
  );
  assertEquals(rules, [
    { post: "/payments", body: "*", additional_bindings: [{ post: "/api/payments", body: "*" }] },
    {
      get: "/payments/{payment_id}",
      additional_bindings: [{ get: "/api/payments/{payment_id}" }],
    },
    {
      post: "/payments/{payment_id}:refund",
      additional_bindings: [
        { post: "/payments/{payment_id}/refund" },
        { post: "/api/payments/{payment_id}:refund" },
        { post: "/api/payments/{payment_id}/refund" },
      ],
    },
  ]);
});

Deno.test("describeFiles describes the vocabulary of descriptors in its own words", () => {
  const { messageType, syntax } = contentOf("google/protobuf/descriptor.proto");
  assertEquals(syntax, undefined);
  const named = (name: string) => messageType.find((type: { name: string }) => type.name === name);
  const numberOf = (type: string, name: string) =>
    named(type).field.find((field: { name: string }) => field.name === name)?.number;
  assertEquals(numberOf("FileDescriptorProto", "message_type"), 4);
  assertEquals(named("MethodOptions").extensionRange, [{ start: 1000, end: 536870912 }]);
  const names = named("MethodOptions").field.map(({ name }: { name: string }) => name);
  assert(!names.includes("http") && !names.some((name: string) => name.startsWith(".")));
  assertEquals(named("UninterpretedOption").nestedType[0].field[0].label, "LABEL_REQUIRED");
});

Deno.test("describeFiles lets a client speak that knows nothing but the descriptors", () => {
  const setType = vocabulary.lookupType("google.protobuf.FileDescriptorSet");
  const file = described.map(({ bytes }) => fileType.decode(bytes));
  const bytes = Buffer.from(setType.encode(setType.create({ file })).finish());
  const definition = loadFileDescriptorSetFromBuffer(bytes, { enums: String, longs: Number });
  const learnt = definition["payment.PaymentService"];
  assert(learnt !== undefined && !("format" in learnt) && learnt.GetPayment !== undefined);
  const own = readService("payment.proto", "payment.PaymentService").GetPayment;
  const payment = { id: "p1", orderId: "o1", amount: 2 ** 53 - 1, status: "REFUNDED" };
  const sent = own?.responseSerialize(payment) ?? Buffer.alloc(0);
  const expected = { id: "p1", order_id: "o1", amount: 2 ** 53 - 1, status: "REFUNDED" };
  assertEquals(learnt.GetPayment.responseDeserialize(sent), expected);
});

Deno.test("describeFiles names what stands in a file as reflection is asked for it", () => {
  const symbols = described.find(({ name }) => name === "order.proto")?.symbols ?? [];
  const expected = [
    "order.Order",
    "order.Order.user_id",
    "order.OrderStatus",
    "order.CONFIRMED",
    "order.OrderService",
    "order.OrderService.GetOrder",
  ];
  assertEquals(expected.filter((name) => !symbols.includes(name)), []);
});
