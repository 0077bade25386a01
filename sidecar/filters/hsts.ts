// Tells browsers that this name is to be had by https alone (RFC 6797), on every answer of the edge, our own included.
import type { Response } from "../http/message.ts";
import type { ExchangeView, Filter } from "./filter.ts";

export interface HstsOptions {
  readonly maxAgeMs: number;
  readonly includesSubdomains: boolean;
  readonly isPreloaded: boolean;
}

export class Hsts implements Filter {
  readonly name = "hsts";
  readonly #value: string;

  constructor({ maxAgeMs, includesSubdomains, isPreloaded }: HstsOptions) {
    this.#value = `max-age=${Math.floor(maxAgeMs / 1000)}` +
      (includesSubdomains ? "; includeSubDomains" : "") + (isPreloaded ? "; preload" : "");
  }

  /** Never without TLS (section 7.2): who can change the bytes could lock a name out. What a service says is replaced. */
  onResponse(exchange: ExchangeView, response: Response): void {
    if (exchange.request.scheme !== "https") return;
    response.headers.set("strict-transport-security", this.#value);
  }
}
