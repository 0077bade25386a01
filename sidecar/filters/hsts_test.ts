import { assertEquals } from "@std/assert";
import { fakeExchange } from "../../tests/support/fake_exchange.ts";
import { emptyResponse } from "../http/message.ts";
import { Hsts, type HstsOptions } from "./hsts.ts";

const FIELD = "strict-transport-security";
const YEAR: HstsOptions = {
  maxAgeMs: 31_536_000_999,
  includesSubdomains: false,
  isPreloaded: false,
};

function said(options: HstsOptions, scheme: "http" | "https", before?: string): string[] {
  const response = emptyResponse(404);
  if (before !== undefined) response.headers.append(FIELD, before);
  new Hsts(options).onResponse(fakeExchange({ scheme }), response);
  return response.headers.all(FIELD);
}

Deno.test("Hsts says on every answer over TLS how long, for which names and whether for the lists", () => {
  assertEquals(said(YEAR, "https"), ["max-age=31536000"]);
  assertEquals(said({ ...YEAR, includesSubdomains: true, isPreloaded: true }, "https"), [
    "max-age=31536000; includeSubDomains; preload",
  ]);
  assertEquals(said({ ...YEAR, maxAgeMs: 0 }, "https"), ["max-age=0"]);
});

Deno.test("Hsts replaces what a service says of it", () => {
  assertEquals(said(YEAR, "https", "max-age=1"), ["max-age=31536000"]);
});

Deno.test("Hsts says nothing without TLS", () => {
  assertEquals(said(YEAR, "http"), []);
});
