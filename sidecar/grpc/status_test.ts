import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { isFieldValue } from "../http/syntax.ts";
import {
  codeOfBareResponse,
  codeOfHttpStatus,
  decodeGrpcMessage,
  encodeGrpcMessage,
  GRPC,
  type GrpcCode,
  grpcName,
  httpStatusOf,
  parseGrpcCode,
} from "./status.ts";

Deno.test("every status has the HTTP status of google/rpc/code.proto", () => {
  const table = Object.values(GRPC).map((code) => `${grpcName(code)} ${httpStatusOf(code)}`);
  assertEquals(table, [
    "OK 200",
    "CANCELLED 499",
    "UNKNOWN 500",
    "INVALID_ARGUMENT 400",
    "DEADLINE_EXCEEDED 504",
    "NOT_FOUND 404",
    "ALREADY_EXISTS 409",
    "PERMISSION_DENIED 403",
    "RESOURCE_EXHAUSTED 429",
    "FAILED_PRECONDITION 400",
    "ABORTED 409",
    "OUT_OF_RANGE 400",
    "UNIMPLEMENTED 501",
    "INTERNAL 500",
    "UNAVAILABLE 503",
    "DATA_LOSS 500",
    "UNAUTHENTICATED 401",
  ]);
});

Deno.test("codeOfHttpStatus gives a code whose HTTP status is of the same class", () => {
  for (
    const status of [200, 204, 400, 401, 403, 404, 409, 429, 499, 500, 501, 503, 504, 418, 599]
  ) {
    const back = httpStatusOf(codeOfHttpStatus(status));
    assertEquals(Math.floor(back / 100), Math.floor(status / 100), String(status));
  }
  assertEquals(codeOfHttpStatus(416), GRPC.OUT_OF_RANGE);
  assertEquals(codeOfHttpStatus(302), GRPC.UNKNOWN);
});

Deno.test("a response without grpc-status has the code of http-grpc-status-mapping", () => {
  const cases: [number, GrpcCode][] = [
    [400, GRPC.INTERNAL],
    [401, GRPC.UNAUTHENTICATED],
    [403, GRPC.PERMISSION_DENIED],
    [404, GRPC.UNIMPLEMENTED],
    [429, GRPC.UNAVAILABLE],
    [502, GRPC.UNAVAILABLE],
    [503, GRPC.UNAVAILABLE],
    [504, GRPC.UNAVAILABLE],
    [500, GRPC.UNKNOWN],
    [200, GRPC.UNKNOWN],
    [302, GRPC.UNKNOWN],
  ];
  for (const [status, code] of cases) assertEquals(codeOfBareResponse(status), code);
});

Deno.test("parseGrpcCode takes what is no known code for UNKNOWN", () => {
  assertEquals(parseGrpcCode("0"), GRPC.OK);
  assertEquals(parseGrpcCode("16"), GRPC.UNAUTHENTICATED);
  for (const text of ["", "17", "99", "-1", "1.0", "1e0", " 1", "0x1", "100", "OK"]) {
    assertEquals(parseGrpcCode(text), GRPC.UNKNOWN, text);
  }
});

Deno.test("grpc-message is encoded as the protocol's examples have it", () => {
  assertEquals(encodeGrpcMessage("user 7 not found"), "user 7 not found");
  assertEquals(encodeGrpcMessage("100% ümlaut\r\n"), "100%25 %C3%BCmlaut%0D%0A");
  assertEquals(decodeGrpcMessage("100%25 %C3%BCmlaut%0d%0A"), "100% ümlaut\r\n");
});

Deno.test("decodeGrpcMessage keeps what is not encoded right", () => {
  for (const text of ["50%", "50%2", "50%zz", "%%"]) assertEquals(decodeGrpcMessage(text), text);
  assertEquals(decodeGrpcMessage("%25%"), "%%");
  assertEquals(decodeGrpcMessage("a%ffb"), "a\ufffdb");
});

Deno.test("any message survives grpc-message, as a field value that is none of two", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (message) => {
    const text = encodeGrpcMessage(message);
    assertEquals(isFieldValue(text), true);
    assertEquals(decodeGrpcMessage(text), message.toWellFormed());
  }));
});
