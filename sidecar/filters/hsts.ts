// Tells browsers to come by https alone from now on (RFC 6797).
import type { Response } from "../http/message.ts";
import type { ExchangeView, Filter } from "./filter.ts";

/** On a port under TLS: over plain HTTP it would mean nothing (RFC 6797, section 7.2). */
export class Hsts implements Filter {
  readonly name = "hsts";
  readonly #value: string;

  constructor(maxAgeMs: number) {
    this.#value = `max-age=${Math.floor(maxAgeMs / 1000)}`;
  }

  onResponse(_exchange: ExchangeView, response: Response): void {
    response.headers.set("strict-transport-security", this.#value);
  }
}
