import { assertEquals, assertMatch } from "@std/assert";
import { newRequestId } from "./request_id.ts";

Deno.test("newRequestId gives version 4 UUIDs that differ, also across a refill of its pool", () => {
  const ids = new Set<string>();
  for (let i = 0; i < 1000; i++) {
    const id = newRequestId();
    assertMatch(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    ids.add(id);
  }
  assertEquals(ids.size, 1000);
});
