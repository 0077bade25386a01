// POST to the login path: a signed token for a user, with or without a password checked by a service.
import { ProxyError } from "../errors.ts";
import { BytesBody, readBody } from "../http/body.ts";
import { FieldList } from "../http/fields.ts";
import { jsonResponse, type Request, type Response } from "../http/message.ts";
import { pathOf } from "../http/path.ts";
import { isFieldValue } from "../http/syntax.ts";
import { utf8Bytes } from "../lib/bytes.ts";
import type { Cancellation } from "../lib/cancellation.ts";
import type { Clock } from "../lib/clock.ts";
import type { Exchange } from "./exchange.ts";
import type { Forwarder } from "./forward.ts";
import { LoginLimiter, type LoginRateLimit } from "./login_limiter.ts";
import type { Router } from "./pipeline.ts";
import { noEndpoints } from "./refusals.ts";

/** A login is a name and a password. */
const MAX_BODY_BYTES = 16_384;
const MAX_ANSWER_BYTES = 65_536;
const MAX_CLAIM_LENGTH = 256;
const VERIFY_TIMEOUT_MS = 5_000;

/** Makes a token that says `claims`. */
export type Sign = (claims: Readonly<Record<string, unknown>>) => Promise<string>;

export interface LoginOptions {
  readonly path: string;
  /** Claim to the field of the login body it is taken from. */
  readonly claims: ReadonlyMap<string, string>;
  readonly expiresInMs: number;
  readonly verify: { readonly kind: "passwordless" } | {
    readonly kind: "service";
    readonly service: string;
    readonly path: string;
  };
  readonly sign: Sign;
  readonly rateLimit: LoginRateLimit;
  readonly issuer?: string;
  readonly audience?: string;
  readonly clock: Clock;
  readonly forwarder: Forwarder;
}

export class Login implements Router {
  readonly #options: LoginOptions;
  readonly #limiter: LoginLimiter;

  constructor(options: LoginOptions) {
    this.#options = options;
    this.#limiter = new LoginLimiter(options.rateLimit);
  }

  route(exchange: Exchange): undefined | Promise<Response> {
    if (pathOf(exchange.request.target) !== this.#options.path) return undefined;
    exchange.upstream = "login";
    if (exchange.request.method !== "POST") {
      throw new ProxyError("method-not-allowed", "only POST", {
        side: "downstream",
        fields: { allow: "POST" },
      });
    }
    this.#limiter.takeOfClient(exchange);
    return this.#login(exchange);
  }

  async #login(exchange: Exchange): Promise<Response> {
    const { request: { body, upgrade }, incoming: { cancellation } } = exchange;
    // Behind a request to switch protocols nothing comes before the switch.
    if (upgrade !== undefined) throw badRequest("invalid request");
    const bytes = await unlessCancelled(readBody(body, MAX_BODY_BYTES), cancellation);
    if (bytes === null) {
      throw new ProxyError("payload-too-large", "the login body is too large", {
        side: "downstream",
      });
    }
    const fields = parseObject(bytes);
    if (fields === null) throw badRequest("invalid request");
    this.#limiter.takeOfUser(exchange, fields["username"]);
    const { verify } = this.#options;
    const claims = verify.kind === "passwordless"
      ? this.#claims(fields, badRequest)
      : this.#claims(await this.#verify(exchange, verify, fields), unsaid(verify.service));
    const response = jsonResponse(200, { token: await this.#sign(claims) });
    response.headers.append("cache-control", "no-store"); // as RFC 6749 5.1 asks of every token
    return response;
  }

  /** `refuse` says whose doing a field is that is not there or cannot be a claim. */
  #claims(
    fields: Readonly<Record<string, unknown>>,
    refuse: (message: string) => ProxyError,
  ): Record<string, string> {
    const claims: Record<string, string> = {};
    for (const [claim, field] of this.#options.claims) {
      const value = fields[field];
      if (value === undefined || value === "") throw refuse(`missing ${field}`);
      if (!isClaim(value)) throw refuse("invalid request");
      claims[claim] = value;
    }
    return claims;
  }

  #sign(claims: Readonly<Record<string, string>>): Promise<string> {
    const { sign, clock, expiresInMs, issuer, audience } = this.#options;
    const now = Math.floor(clock.epoch() / 1000);
    return sign({
      ...claims,
      iat: now,
      exp: now + Math.floor(expiresInMs / 1000),
      ...(issuer === undefined ? {} : { iss: issuer }),
      ...(audience === undefined ? {} : { aud: audience }),
    });
  }

  /**
   * Asks the service that knows the passwords, and returns what it says of the user: what the body says beyond the name
   * nobody has checked, and the service may spell the name otherwise. Throws ProxyError.
   */
  async #verify(
    exchange: Exchange,
    verify: Extract<LoginOptions["verify"], { kind: "service" }>,
    { username, password }: Readonly<Record<string, unknown>>,
  ): Promise<Readonly<Record<string, unknown>>> {
    const { forwarder } = this.#options;
    if (username === undefined || username === "") throw badRequest("missing username");
    if (!isClaim(username)) throw badRequest("invalid request");
    if (typeof password !== "string") throw badRequest("missing password");
    const cluster = exchange.snapshot.clusters.get(verify.service);
    if (cluster === undefined) throw noEndpoints(verify.service);
    const request = verifyRequest(
      verify.service,
      verify.path,
      { username, password },
      exchange.requestId,
    );
    const response = await forwarder.forward(exchange, cluster, VERIFY_TIMEOUT_MS, request);
    const answer = await readBody(response.body, MAX_ANSWER_BYTES);
    if (response.status === 200) return { username, ...(answer && parseObject(answer)) };
    if (response.status === 401) {
      throw new ProxyError("invalid-credentials", "wrong name or password", { side: "downstream" });
    }
    throw new ProxyError(
      "upstream-protocol",
      `${verify.service} answered a credential check with ${response.status}`,
      {
        side: "upstream",
      },
    );
  }
}

function verifyRequest(service: string, path: string, body: unknown, requestId: string): Request {
  const bytes = utf8Bytes(JSON.stringify(body));
  const headers = FieldList.of({
    "host": service,
    "content-type": "application/json",
    "content-length": String(bytes.length),
    "x-request-id": requestId,
  });
  return {
    method: "POST",
    form: "origin",
    scheme: "http",
    authority: service,
    target: path,
    version: "1.1",
    headers,
    body: new BytesBody(bytes),
    upgrade: undefined,
    acceptsTrailers: false,
  };
}

function badRequest(message: string): ProxyError {
  return new ProxyError("bad-request", message, { side: "downstream" });
}

function unsaid(service: string): (message: string) => ProxyError {
  return (message) =>
    new ProxyError("upstream-protocol", `${service} answered a credential check: ${message}`, {
      side: "upstream",
    });
}

/** A client that stops sending, or goes, must not keep its login waiting for the rest of the body. */
async function unlessCancelled<T>(work: Promise<T>, cancellation: Cancellation): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  cancellation.onCancel(reject);
  try {
    return await Promise.race([work, promise]);
  } finally {
    cancellation.off(reject);
  }
}

/** The fields of a JSON object; null for anything else. */
function parseObject(bytes: Uint8Array): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? { ...value }
      : null;
  } catch {
    return null;
  }
}

/** It will be a header field's value behind the gateway. */
function isClaim(value: unknown): value is string {
  return typeof value === "string" && value.length <= MAX_CLAIM_LENGTH && isFieldValue(value) &&
    value.trim() === value;
}
