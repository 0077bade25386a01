import { assertEquals } from "@std/assert";
import { emptyResponse, hasResponseBody, jsonResponse, textResponse } from "./message.ts";

Deno.test("textResponse counts bytes and not letters", () => {
  const { status, headers, body } = textResponse(201, "5 \u20ac", "text/plain; charset=utf-8");
  assertEquals([status, ...headers], [
    201,
    ["content-type", "text/plain; charset=utf-8"],
    ["content-length", "5"],
  ]);
  assertEquals(new TextDecoder().decode(body.whole()), "5 \u20ac");
});

Deno.test("jsonResponse has its value for a body", () => {
  const { headers, body } = jsonResponse(400, { error: "no" });
  assertEquals([headers.get("content-type"), body.length], ["application/json", 14]);
  assertEquals(new TextDecoder().decode(body.whole()), '{"error":"no"}');
});

Deno.test("emptyResponse says its length where a length may be said", () => {
  assertEquals([...emptyResponse(200).headers], [["content-length", "0"]]);
  assertEquals([...emptyResponse(204).headers, ...emptyResponse(103).headers], []);
  assertEquals(emptyResponse(404).body.take(), null);
});

Deno.test("hasResponseBody goes by method and status (RFC 9112 6.3)", () => {
  for (const status of [200, 206, 299, 301, 400, 500, 999]) {
    assertEquals([hasResponseBody("GET", status), hasResponseBody("HEAD", status)], [true, false]);
  }
  for (const status of [100, 101, 199, 204, 304]) {
    assertEquals(hasResponseBody("GET", status), false);
  }
});
