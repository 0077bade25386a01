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

Deno.test("StripIdentity believes a caller of the mesh, and takes names and certificates from one who proved nothing", () => {
  const headers = {
    "x-user-id": "a",
    "x-forwarded-client-cert": "Hash=0",
    "x_forwarded_client_cert": "Hash=0",
  };
  const left = (identity: string | undefined) => {
    const peer = { host: "10.0.0.9", port: 1, identity };
    const exchange = fakeExchange({ authority: "", headers, peer });
    new StripIdentity({ from: "anonymous" }).onRequest(exchange);
    return [...exchange.request.headers].length;
  };
  assertEquals([left("spiffe://mesh.local/ns/default/svc/gateway"), left(undefined)], [3, 0]);
});

Deno.test("StripIdentity at an edge leaves alone what the edge says of a client's certificate", () => {
  const headers = { "x-forwarded-client-cert": "Hash=0" };
  const exchange = fakeExchange({ authority: "", headers });
  new StripIdentity().onRequest(exchange);
  assertEquals([...exchange.request.headers], [["x-forwarded-client-cert", "Hash=0"]]);
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
