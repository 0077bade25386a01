import { assertEquals } from "@std/assert";
import { fakeExchange } from "../../tests/support/fake_exchange.ts";
import { spellingsOf, StripIdentity } from "./strip_identity.ts";

Deno.test("StripIdentity removes every x-user-id that came from outside, and nothing else", () => {
  const exchange = fakeExchange({
    authority: "",
    headers: [["x-user-id", "admin"], ["x-other", "1"], ["x-user-id", "root"]],
  });
  new StripIdentity().onRequest(exchange);
  assertEquals([...exchange.request.headers], [["x-other", "1"]]);
});

Deno.test("StripIdentity removes the spellings that some apps take for the same name", () => {
  const headers = { "x_user_id": "a", "x-user_id": "b", "x_user-id": "c", "xuser-id": "kept" };
  const exchange = fakeExchange({ authority: "", headers });
  new StripIdentity().onRequest(exchange);
  assertEquals([...exchange.request.headers], [["xuser-id", "kept"]]);
});

Deno.test("spellingsOf are all ways to write a name with dashes or underscores", () => {
  assertEquals(spellingsOf("plain"), ["plain"]);
  assertEquals(spellingsOf("x-role"), ["x-role", "x_role"]);
  assertEquals(spellingsOf("a-b-c-d-e-f"), ["a-b-c-d-e-f", "a_b_c_d_e_f"]);
  assertEquals(spellingsOf("x-user-id").sort(), [
    "x-user-id",
    "x-user_id",
    "x_user-id",
    "x_user_id",
  ]);
});
