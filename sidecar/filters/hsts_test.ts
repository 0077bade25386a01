import { assertEquals } from "@std/assert";
import { emptyResponse } from "../http/message.ts";
import { fakeExchange } from "../../tests/support/fake_exchange.ts";
import { Hsts } from "./hsts.ts";

Deno.test("Hsts says its age in seconds, in place of what the app says", () => {
  const response = emptyResponse(204);
  response.headers.append("strict-transport-security", "max-age=1; preload");
  new Hsts(90_500).onResponse(fakeExchange({}), response);
  assertEquals(response.headers.all("strict-transport-security"), ["max-age=90"]);
});
