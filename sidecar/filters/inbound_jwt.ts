// Tokens checked beside the service itself, as the policy in force says: each exchange goes by the settings of its own
// snapshot, and without any it passes as it came.
import type { InboundJwtSettings } from "../identity/jwt/settings.ts";
import type { ExchangeView, Filter } from "./filter.ts";
import type { Jwt } from "./jwt.ts";

/** A filter for some settings, and the end of its renewal of keys. */
export interface JwtInForce extends Disposable {
  readonly filter: Jwt;
}

export class InboundJwt implements Filter {
  readonly name = "inbound-jwt";
  readonly #make: (settings: InboundJwtSettings) => JwtInForce;
  /** Also of settings that are in force no more, for exchanges that began under them. */
  readonly #made = new WeakMap<InboundJwtSettings, JwtInForce>();
  #settings: InboundJwtSettings | undefined;
  #current: JwtInForce | undefined;

  /** `make` throws Error for keys in the settings that are none. */
  constructor(make: (settings: InboundJwtSettings) => JwtInForce) {
    this.#make = make;
  }

  /** Takes over the settings of a new snapshot, so that their keys are there before a request is. */
  apply(settings: InboundJwtSettings | undefined): void {
    if (settings === this.#settings) return;
    const last = this.#current;
    this.#settings = settings;
    this.#current = settings && this.#makeFor(settings);
    // After the next has its keys, which it may have from the last.
    last?.[Symbol.dispose]();
  }

  onRequest(exchange: ExchangeView): ReturnType<Jwt["onRequest"]> {
    const { inboundJwt } = exchange.snapshot;
    if (inboundJwt === undefined) return undefined;
    const made = this.#made.get(inboundJwt) ?? this.#makeFor(inboundJwt);
    return made.filter.onRequest(exchange);
  }

  #makeFor(settings: InboundJwtSettings): JwtInForce {
    const made = this.#make(settings);
    this.#made.set(settings, made);
    return made;
  }
}
