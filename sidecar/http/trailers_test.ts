import { assertEquals } from "@std/assert";
import { fieldId } from "./field_names.ts";
import { isForbiddenTrailer } from "./trailers.ts";

Deno.test("isForbiddenTrailer knows framing, routing and authentication, by number and by name", () => {
  const forbidden = ["content-length", "host", "x-user-id", "set-cookie", "www-authenticate"];
  const others = ["grpc-status", "etag", "x-own"];
  const answers = (names: string[]) => names.map((name) => isForbiddenTrailer(fieldId(name), name));
  assertEquals(answers(forbidden), forbidden.map(() => true));
  assertEquals(answers(others), others.map(() => false));
});
