import { assertEquals, assertThrows } from "@std/assert";
import { ProxyError } from "../errors.ts";
import { decodeHealthResponse, encodeHealthRequest } from "./health.ts";

Deno.test("encodeHealthRequest is the bytes of HealthCheckRequest", () => {
  assertEquals([...encodeHealthRequest("ab")], [0x0a, 2, 0x61, 0x62]);
  assertEquals([...encodeHealthRequest("")], []);
});

Deno.test("decodeHealthResponse knows every status", () => {
  const statuses = [[], [8, 0], [8, 1], [8, 2], [8, 3], [8, 9]]
    .map((bytes) => decodeHealthResponse(new Uint8Array(bytes)));
  assertEquals(statuses, [
    "unknown",
    "unknown",
    "serving",
    "not-serving",
    "service-unknown",
    "unknown",
  ]);
});

Deno.test("decodeHealthResponse passes over fields that are not known", () => {
  const bytes = new Uint8Array([0x12, 1, 0x41, 8, 1, 0x18, 5]);
  assertEquals(decodeHealthResponse(bytes), "serving");
});

Deno.test("decodeHealthResponse refuses what is no message", () => {
  for (const bytes of [[8], [0xff, 0xff], [0x0a, 5, 1]]) {
    assertThrows(
      () => decodeHealthResponse(new Uint8Array(bytes)),
      ProxyError,
      "HealthCheckResponse",
    );
  }
});
