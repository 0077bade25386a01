// Cross-origin requests from browsers (Fetch standard, "CORS protocol"): answers preflights, names what is allowed.
import { ProxyError } from "../errors.ts";
import { NameSet } from "../http/field_names.ts";
import { emptyResponse, type Response } from "../http/message.ts";
import type { ExchangeView, Filter } from "./filter.ts";

export interface CorsOptions {
  readonly origins: readonly string[];
  readonly methods: readonly string[];
  readonly headers: readonly string[];
  readonly exposeHeaders: readonly string[];
  readonly credentials: boolean;
  readonly maxAgeMs: number;
}

/** What every answer says, and nobody but the edge. */
const OURS = new NameSet([
  "access-control-allow-origin",
  "access-control-allow-credentials",
  "access-control-expose-headers",
]);

export class Cors implements Filter {
  readonly name = "cors";
  readonly #options: CorsOptions;
  readonly #isAny: boolean;

  constructor(options: CorsOptions) {
    this.#options = options;
    this.#isAny = options.origins.includes("*");
  }

  onRequest(exchange: ExchangeView): Response | undefined {
    const { headers, method } = exchange.request;
    if (
      method !== "OPTIONS" || !headers.has("origin") ||
      !headers.has("access-control-request-method")
    ) {
      return undefined;
    }
    if (this.#allowed(exchange) === undefined) {
      throw new ProxyError("forbidden", "origin not allowed", { side: "downstream" });
    }
    return this.#preflight();
  }

  /** Browsers read the list themselves: a method or header that is not in it fails there, with a clear message. */
  #preflight(): Response {
    const { methods, headers, maxAgeMs } = this.#options;
    const response = emptyResponse(204);
    response.headers.append("access-control-allow-methods", methods.join(", "));
    if (headers.length > 0) {
      response.headers.append("access-control-allow-headers", headers.join(", "));
    }
    response.headers.append("access-control-max-age", String(Math.floor(maxAgeMs / 1000)));
    return response;
  }

  onResponse(exchange: ExchangeView, response: Response): void {
    const { credentials, exposeHeaders } = this.#options;
    const { headers } = response;
    // A service behind us must not allow what the edge does not.
    headers.deleteAll(OURS);
    if (!this.#isAny) headers.append("vary", "Origin");
    const origin = this.#allowed(exchange);
    if (origin === undefined) return;
    headers.append("access-control-allow-origin", origin);
    if (credentials) headers.append("access-control-allow-credentials", "true");
    if (exposeHeaders.length > 0) {
      headers.append("access-control-expose-headers", exposeHeaders.join(", "));
    }
  }

  /** The origin to allow; undefined where none was sent or it is not on the list. */
  #allowed(exchange: ExchangeView): string | undefined {
    const origin = exchange.request.headers.get("origin");
    if (origin === undefined) return undefined;
    if (this.#isAny) return "*";
    return this.#options.origins.includes(origin) ? origin : undefined;
  }
}
