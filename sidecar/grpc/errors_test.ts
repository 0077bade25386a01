import { assertEquals } from "@std/assert";
import { grpcAnswer } from "./errors.ts";
import { GRPC } from "./status.ts";

Deno.test("grpcAnswer is trailers-only", () => {
  const { status, headers, body } = grpcAnswer(GRPC.UNAVAILABLE, "no endpoints\nfor users");
  assertEquals(status, 200);
  assertEquals([...headers], [
    ["content-type", "application/grpc"],
    ["grpc-status", "14"],
    ["grpc-message", "no endpoints%0Afor users"],
  ]);
  assertEquals(body.isEnded, true);
});

Deno.test("grpcAnswer leaves an empty message out", () => {
  assertEquals(grpcAnswer(GRPC.OK, "").headers.has("grpc-message"), false);
});
