// The seed session: log in, read a user, place an order, look at its payment, and everything that is refused on the way.
import { decodeProtectedHeader, jwtVerify, SignJWT } from "jose";
import type { Answer } from "./client.ts";
import {
  type Check,
  describe,
  expectAnswer,
  expectEqual,
  expectHeader,
  Mismatch,
} from "./check.ts";

const ORDER = { items: [{ sku: "book", quantity: 1, unitPrice: 1999 }] };
const DAY_S = 86_400;
const ORIGIN = "http://localhost:3000";
/** A token bucket of 10, and one more. */
const BURST = 10;
/** The bucket refills 10 a second: on a machine that stalls, the eleventh may come late enough to be let in. */
const BURST_TRIES = 5;

/** Cheap and in order: what a first visitor does. */
export const SESSION_CHECKS: readonly Check[] = [
  {
    name: "login answers a token",
    async run({ client }) {
      const answer = await client.send("/login", { body: '{"username":"alice"}' });
      expectAnswer(answer, 200);
      const { token, ...others } = objectOf(answer);
      expectEqual("a token that is", typeof token, "string");
      expectEqual("other fields", JSON.stringify(others), "{}");
    },
  },
  {
    name: "the token is signed by HS256, names the user and is good for 24 hours",
    async run({ client, jwtSecret }) {
      const token = await client.login("alice");
      expectEqual("alg", decodeProtectedHeader(token).alg, "HS256");
      const { payload } = await jwtVerify(token, new TextEncoder().encode(jwtSecret));
      expectEqual("user_id", payload["user_id"], "alice");
      expectEqual("exp", payload.exp, (payload.iat ?? 0) + DAY_S);
    },
  },
  {
    name: "login with bad JSON is refused",
    async run({ client }) {
      const answer = await client.send("/login", { body: '{"username":' });
      expectAnswer(answer, 400, '{"error":"invalid request"}');
    },
  },
  {
    name: "login without a username is refused",
    async run({ client }) {
      const answer = await client.send("/login", { body: "{}" });
      expectAnswer(answer, 400, '{"error":"missing username"}');
    },
  },
  {
    name: "a user is answered, to the letter",
    async run({ client }) {
      const answer = await client.send("/api/users/123", { token: await client.login("alice") });
      expectAnswer(answer, 200, '{"id":"123","name":"User-123","age":25}');
    },
  },
  refusal("no authorization", undefined, "missing authorization header"),
  refusal("another scheme than Bearer", () => "Basic x", "invalid authorization format"),
  refusal("a token that is none", () => "Bearer not.a.token", "invalid token"),
  refusal("an expired token", async (secret) => `Bearer ${await expired(secret)}`, "invalid token"),
  refusal("a token signed by somebody else", async () => {
    return `Bearer ${await sign("another secret of thirty-two bytes", 60)}`;
  }, "invalid token"),
  {
    name: "an order is placed, paid and answered",
    async run({ client }) {
      const token = await client.login("alice");
      const answer = await client.send("/api/orders", { token, body: JSON.stringify(ORDER) });
      expectAnswer(answer, 201);
      const { userId, total, status, paymentId } = objectOf(answer);
      expectEqual("userId", userId, "alice");
      expectEqual("total", total, 1999);
      expectEqual("status", status, "confirmed");
      if (typeof paymentId !== "string") throw new Mismatch("a paymentId", describe(answer));
    },
  },
  {
    name: "the payment of an order can be read",
    async run({ client }) {
      const token = await client.login("alice");
      const placed = await client.send("/api/orders", { token, body: JSON.stringify(ORDER) });
      expectAnswer(placed, 201);
      const { id, paymentId } = objectOf(placed);
      const answer = await client.send(`/api/payments/${paymentId}`, { token });
      expectAnswer(answer, 200);
      const payment = objectOf(answer);
      expectEqual("id", payment["id"], paymentId);
      expectEqual("orderId", payment["orderId"], id);
      // A 64-bit number is a text in proto3's JSON.
      expectEqual("amount", payment["amount"], "1999");
      expectEqual("status", payment["status"], "CAPTURED");
    },
  },
  {
    name: "a payment that does not exist is a gRPC error as JSON",
    async run({ client }) {
      const token = await client.login("alice");
      const answer = await client.send("/api/payments/nobody", { token });
      expectAnswer(answer, 404);
      const { code, message } = objectOf(answer);
      expectEqual("code", code, 5);
      expectEqual("message", message, "payment not found");
    },
  },
  {
    name: "a user is answered to gRPC-Web, and no token is UNAUTHENTICATED there",
    async run({ client }) {
      const token = await client.login("alice");
      // GetUserRequest{user_id: "123"} behind its prefix of five bytes.
      const headers = { "content-type": "application/grpc-web-text" };
      const call = { method: "POST", headers, raw: btoa("\0\0\0\0\x05\n\x03123") };
      const answer = await client.send("/user.UserService/GetUser", { ...call, token });
      expectAnswer(answer, 200);
      const said = answer.text.split(/(?<==)(?=[^=])/).map(atob).join("");
      if (!said.includes("User-123") || !said.includes("grpc-status:0")) {
        throw new Mismatch("User-123 and grpc-status:0", JSON.stringify(said));
      }
      const refused = await client.send("/user.UserService/GetUser", call);
      const trailers = atob(refused.text);
      if (!trailers.includes("grpc-status:16")) throw new Mismatch("grpc-status:16", trailers);
    },
  },
  {
    name: "an x-user-id from outside is ignored",
    async run({ client }) {
      const token = await client.login("alice");
      const headers = { "x-user-id": "bob" };
      const body = JSON.stringify(ORDER);
      const answer = await client.send("/api/orders", { token, headers, body });
      expectAnswer(answer, 201);
      expectEqual("userId", objectOf(answer)["userId"], "alice");
    },
  },
  {
    name: "a plain call past the gateway is refused: the mesh speaks mTLS",
    async run({ intruder }) {
      const answer = await intruder.send("/users/123", { headers: { "x-user-id": "alice" } });
      expectAnswer(answer, 403);
      expectHeader(answer, "x-mesh-reason", "tls-required");
    },
  },
  {
    name: "a preflight of a known page is answered",
    async run({ client }) {
      const answer = await client.send("/api/orders", preflight(ORIGIN));
      expectAnswer(answer, 204, "");
      expectHeader(answer, "access-control-allow-origin", ORIGIN);
      expectHeader(answer, "access-control-allow-methods", /\bPOST\b/);
      expectHeader(answer, "access-control-allow-headers", /\bauthorization\b/);
    },
  },
  {
    name: "a preflight of an unknown page is refused",
    async run({ client }) {
      const answer = await client.send("/api/orders", preflight("http://elsewhere.example"));
      expectAnswer(answer, 403);
      expectEqual("allow-origin", answer.headers.get("access-control-allow-origin"), null);
    },
  },
  {
    name: "an unknown route is not found",
    async run({ client }) {
      const answer = await client.send("/nowhere", { token: await client.login("alice") });
      expectAnswer(answer, 404, '{"error":"not found"}');
      expectHeader(answer, "x-mesh-reason", "route-not-found");
    },
  },
  {
    name: "of eleven quick requests the last is refused",
    async run({ client }) {
      let statuses: number[] = [];
      for (let i = 0; i < BURST_TRIES; i++) {
        const token = await client.login(`user-of-try-${i}-${crypto.randomUUID()}`); // a full bucket
        const answers = await client.sendAtOnce("/api/users/123", token, BURST + 1);
        statuses = answers.map(({ status }) => status);
        const refused = answers.filter(({ status }) => status === 429);
        if (refused.length !== 1) continue;
        expectEqual("accepted", statuses.filter((status) => status === 200).length, BURST);
        return expectTooMany(refused[0]!);
      }
      throw new Mismatch("ten times 200 and once 429", statuses.join(" "));
    },
  },
];

function expectTooMany(answer: Answer): void {
  expectAnswer(answer, 429, '{"error":"Too Many Requests"}');
  expectHeader(answer, "retry-after", /^[1-9]\d*$/);
  expectHeader(answer, "ratelimit", /r=0;t=\d+/);
  expectHeader(answer, "ratelimit-policy", /q=10;w=1/);
  expectHeader(answer, "x-mesh-reason", "rate-limited");
}

/** A request for a user that answers 401 with `error`. */
function refusal(
  what: string,
  authorization: ((secret: string) => string | Promise<string>) | undefined,
  error: string,
): Check {
  return {
    name: `${what} is refused`,
    async run({ client, jwtSecret }) {
      const headers: Record<string, string> = authorization === undefined
        ? {}
        : { authorization: await authorization(jwtSecret) };
      const answer = await client.send("/api/users/123", { headers });
      expectAnswer(answer, 401, JSON.stringify({ error }));
      expectHeader(answer, "www-authenticate", /^Bearer/);
    },
  };
}

function expired(secret: string): Promise<string> {
  return sign(secret, -1);
}

function sign(secret: string, secondsLeft: number): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({ user_id: "alice" })
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .setIssuedAt(now - DAY_S)
    .setExpirationTime(now + secondsLeft)
    .sign(new TextEncoder().encode(secret));
}

function preflight(origin: string) {
  const headers = {
    origin,
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization,content-type",
  };
  return { method: "OPTIONS", headers };
}

function objectOf({ text }: Answer): Record<string, unknown> {
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null) throw new Mismatch("a JSON object", text);
  return { ...value };
}
