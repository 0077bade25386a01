import { assertEquals, assertThrows } from "@std/assert";
import { type FakeExchange, fakeExchange } from "../../tests/support/fake_exchange.ts";
import { ProxyError } from "../errors.ts";
import { emptyResponse, type Response } from "../http/message.ts";
import { rescue } from "../proxy/rescue.ts";
import { Cors, type CorsOptions } from "./cors.ts";

const SHOP = "https://shop.example";
const OPTIONS: CorsOptions = {
  origins: [SHOP, "http://localhost:3000"],
  methods: ["GET", "POST"],
  headers: ["authorization", "content-type"],
  exposeHeaders: [],
  credentials: false,
  maxAgeMs: 600_999,
};
const ANY: CorsOptions = { ...OPTIONS, origins: ["*"] };

/** What a browser gets: the filter's answer or its error, or else the service's response, with what the filter adds. */
function ask(options: CorsOptions, about: FakeExchange, service = emptyResponse(200)): Response {
  const cors = new Cors(options);
  const exchange = fakeExchange(about);
  let response: Response;
  try {
    response = cors.onRequest(exchange) ?? service;
  } catch (error) {
    if (!(error instanceof ProxyError)) throw error;
    response = rescue(error);
  }
  cors.onResponse(exchange, response);
  return response;
}

function preflight(origin: string, more: Record<string, string> = {}): FakeExchange {
  const headers = { origin, "access-control-request-method": "POST", ...more };
  return { method: "OPTIONS", headers };
}

/** The CORS fields of a response, and vary. */
function corsFields({ headers }: Response): Record<string, string> {
  const ours = [...headers].filter(([name]) =>
    name === "vary" || name.startsWith("access-control-")
  );
  return Object.fromEntries(ours);
}

Deno.test("Cors answers a preflight of an allowed origin itself, with what is allowed", () => {
  const response = ask(OPTIONS, preflight(SHOP));
  assertEquals(response.status, 204);
  assertEquals(corsFields(response), {
    "access-control-allow-origin": SHOP,
    "access-control-allow-methods": "GET, POST",
    "access-control-allow-headers": "authorization, content-type",
    "access-control-max-age": "600",
    "vary": "Origin",
  });
  assertEquals(response.headers.has("content-length"), false);
});

Deno.test("Cors leaves out a list of headers that is empty", () => {
  const response = ask({ ...OPTIONS, headers: [] }, preflight(SHOP));
  assertEquals(response.headers.has("access-control-allow-headers"), false);
});

Deno.test("Cors refuses a preflight of another origin with 403, allowing nothing", () => {
  const others = [
    "https://evil.example",
    "null",
    "http://shop.example",
    "https://shop.example:8443",
  ]
    .concat(["https://shop.example.evil", "https://SHOP.example", ""]);
  for (const origin of others) {
    const response = ask(OPTIONS, preflight(origin));
    assertEquals(response.status, 403, origin);
    assertEquals(corsFields(response), { vary: "Origin" }, origin);
  }
});

Deno.test("Cors lets every other OPTIONS through to the service", () => {
  const cors = new Cors(OPTIONS);
  const others: FakeExchange[] = [
    { method: "OPTIONS" },
    { method: "OPTIONS", headers: { origin: SHOP } },
    { method: "OPTIONS", headers: { "access-control-request-method": "POST" } },
    { ...preflight(SHOP), method: "GET" },
  ];
  for (const about of others) assertEquals(cors.onRequest(fakeExchange(about)), undefined);
});

Deno.test("Cors tells a page of an allowed origin that it may read the answer", () => {
  const response = ask(OPTIONS, { headers: { origin: "http://localhost:3000" } });
  assertEquals(corsFields(response), {
    "access-control-allow-origin": "http://localhost:3000",
    "vary": "Origin",
  });
});

Deno.test("Cors passes a request of another origin on, but its page may not read the answer", () => {
  const response = ask(OPTIONS, { headers: { origin: "https://evil.example" } });
  assertEquals(response.status, 200);
  assertEquals(corsFields(response), { vary: "Origin" });
});

Deno.test("Cors says that the answer depends on the origin also where none was sent, for caches", () => {
  assertEquals(corsFields(ask(OPTIONS, {})), { vary: "Origin" });
});

Deno.test("Cors keeps the vary of the service", () => {
  const service = emptyResponse(200);
  service.headers.append("vary", "Accept-Encoding");
  const { headers } = ask(OPTIONS, { headers: { origin: SHOP } }, service);
  assertEquals(headers.all("vary"), ["Accept-Encoding", "Origin"]);
});

Deno.test("Cors that allows any origin says *, which depends on nothing", () => {
  for (const about of [{ headers: { origin: "https://any.example" } }, preflight("null")]) {
    const fields = corsFields(ask(ANY, about));
    assertEquals([fields["access-control-allow-origin"], fields["vary"]], ["*", undefined]);
  }
  assertEquals(corsFields(ask(ANY, {})), {});
});

Deno.test("Cors allows credentials to an allowed origin and to nobody else", () => {
  const options = { ...OPTIONS, credentials: true };
  const field = (about: FakeExchange) =>
    ask(options, about).headers.get("access-control-allow-credentials");
  assertEquals(field(preflight(SHOP)), "true");
  assertEquals(field({ headers: { origin: SHOP } }), "true");
  assertEquals(field({ headers: { origin: "https://evil.example" } }), undefined);
  assertEquals(field(preflight("https://evil.example")), undefined);
  assertEquals(field({}), undefined);
});

Deno.test("Cors names the headers that scripts may read", () => {
  const options = { ...OPTIONS, exposeHeaders: ["x-request-id", "ratelimit"] };
  const field = (origin: string) =>
    ask(options, { headers: { origin } }).headers.get("access-control-expose-headers");
  assertEquals(field(SHOP), "x-request-id, ratelimit");
  assertEquals(field("https://evil.example"), undefined);
});

Deno.test("Cors does not let a service allow what the edge does not, nor say it twice", () => {
  const service = () => {
    const response = emptyResponse(200);
    response.headers.append("access-control-allow-origin", "*");
    response.headers.append("access-control-allow-credentials", "true");
    response.headers.append("access-control-expose-headers", "set-cookie");
    return response;
  };
  const evil = ask(OPTIONS, { headers: { origin: "https://evil.example" } }, service());
  assertEquals(corsFields(evil), { vary: "Origin" });
  const shop = ask(OPTIONS, { headers: { origin: SHOP } }, service());
  assertEquals(shop.headers.all("access-control-allow-origin"), [SHOP]);
  assertEquals(shop.headers.has("access-control-allow-credentials"), false);
});

Deno.test("Cors refuses as a matter of our rules, so the answer names a reason", () => {
  const cors = new Cors(OPTIONS);
  const exchange = fakeExchange(preflight("https://evil.example"));
  const error = assertThrows(() => cors.onRequest(exchange), ProxyError);
  assertEquals([error.kind, error.side], ["forbidden", "downstream"]);
});
