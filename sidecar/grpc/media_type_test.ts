import { assertEquals } from "@std/assert";
import { acceptsMediaType, isGrpc, isGrpcWeb, isGrpcWebText, mediaTypeOf } from "./media_type.ts";

Deno.test("each content-type is of one protocol at most", () => {
  const cases: [string | undefined, string][] = [
    ["application/grpc", "grpc"],
    ["application/grpc+proto", "grpc"],
    ["application/grpc+json; charset=utf-8", "grpc"],
    ["Application/gRPC", "grpc"],
    ["application/grpc-web", "web"],
    ["application/grpc-web+proto", "web"],
    ["application/grpc-web-text", "text"],
    ["application/grpc-web-text+proto", "text"],
    ["application/grpc-webx", ""],
    ["application/grpcx", ""],
    ["application/json", ""],
    ["", ""],
    [undefined, ""],
  ];
  for (const [contentType, wanted] of cases) {
    const found = [
      isGrpc(contentType) ? "grpc" : "",
      isGrpcWeb(contentType) ? "web" : "",
      isGrpcWebText(contentType) ? "text" : "",
    ].join("");
    assertEquals(found, wanted, contentType);
  }
});

Deno.test("mediaTypeOf leaves parameters out", () => {
  assertEquals(mediaTypeOf("Text/Event-Stream ; charset=utf-8"), "text/event-stream");
});

Deno.test("acceptsMediaType finds a type in a list, and not one that is refused", () => {
  const type = "text/event-stream";
  assertEquals(acceptsMediaType("application/json, text/event-stream;q=0.5", type), true);
  assertEquals(acceptsMediaType("text/event-stream; q=0", type), false);
  assertEquals(acceptsMediaType("text/event-stream;q=0.0", type), false);
  assertEquals(acceptsMediaType("*/*", type), false);
  assertEquals(acceptsMediaType(undefined, type), false);
});
