import { assertEquals, assertThrows } from "@std/assert";
import { readProtos, readService } from "./protos.ts";

Deno.test("user.proto says word for word what the guide's clients were built from", () => {
  const root = readProtos(["user.proto"], { keepCase: true });
  const { methods } = root.lookupService("user.UserService");
  const signatures = Object.values(methods).map((one) => [
    one.name,
    one.requestType,
    one.responseType,
    one.requestStream ?? false,
    one.responseStream ?? false,
  ]);
  assertEquals(signatures, [
    ["GetUser", "GetUserRequest", "GetUserResponse", false, false],
    ["ListUsers", "ListUsersRequest", "ListUsersResponse", false, false],
  ]);
  const fields = (name: string) =>
    root.lookupType(`user.${name}`).fieldsArray.map((field) =>
      `${field.repeated ? "repeated " : ""}${field.type} ${field.name} = ${field.id}`
    );
  assertEquals(fields("GetUserRequest"), ["string user_id = 1"]);
  assertEquals(fields("GetUserResponse"), [
    "string user_id = 1",
    "string name = 2",
    "string email = 3",
    "int32 age = 4",
  ]);
  assertEquals(fields("ListUsersRequest"), ["int32 page = 1", "int32 page_size = 2"]);
  assertEquals(fields("ListUsersResponse"), [
    "repeated GetUserResponse users = 1",
    "int32 total = 2",
  ]);
});

Deno.test("readService never gives an int64 beyond the safe integers as a safe one", () => {
  const { CreatePayment } = readService("payment.proto", "payment.PaymentService");
  const amountOf = (bytes: number[]) => {
    const message = CreatePayment?.requestDeserialize(Uint8Array.from(bytes) as never);
    return message?.amount;
  };
  const field = 3 << 3;
  const largest = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]; // 2^53 - 1
  assertEquals(amountOf([field, ...largest]), Number.MAX_SAFE_INTEGER);
  const above = [0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]; // 2^53 + 1
  assertEquals(Number.isSafeInteger(amountOf([field, ...above])), false);
});

Deno.test("readService throws at an unknown service, and readProtos at a file that is not there", () => {
  assertThrows(() => readService("user.proto", "user.Nobody"), Error, "no service user.Nobody");
  assertThrows(() => readService("user.proto", "user.GetUserRequest"), Error, "no service");
  assertThrows(() => readProtos(["nowhere.proto"], { keepCase: true }), Error, "nowhere.proto");
});
